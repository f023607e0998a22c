"""Converts a run's checkpoint to a weight file for the zoo: quantized tensors without losses.

The checkpoint is that of a method, whose restorer is left out, as it has its own file; of a
restorer trained alone; or of a prior, whose averaged generator is kept. --without leaves out more,
such as L2R's frozen prior, which has its own file.
"""

from pathlib import Path

import click

from l2rkit.cli.common import user_errors
from l2rkit.cli.paths import writable_file
from l2rkit.io.weights import model_weights, write_weights


@click.command(help=__doc__)
@click.argument("checkpoint", type=click.Path(exists=True, dir_okay=False))
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("--bits", default="8", type=click.Choice(["8", "16", "32"]), show_default=True)
@click.option("--without", multiple=True, help="Prefix of weights to leave out; repeatable.")
@user_errors
def main(checkpoint: str, out: str, bits: str, without: tuple[str, ...]) -> None:
    writable_file(out)
    state = model_weights(checkpoint, "generator_ema") or model_weights(checkpoint, "restore")
    state = {name: value for name, value in state.items() if not name.startswith(without)}
    write_weights(state, out, int(bits))
    click.echo(f"{out}: {Path(out).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
