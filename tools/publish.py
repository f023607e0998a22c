"""Makes a shipped weight file of a run's checkpoint: tensors alone, without losses, rounded.

Of a method without its restorer, which brings its own; of a restorer that was trained alone; of a
prior the averaged generator. --without leaves out more: L2R's frozen prior is a file of its own.
"""

from pathlib import Path

import click

from l2rkit.io.weights import model_weights, write_weights


@click.command(help=__doc__)
@click.argument("checkpoint", type=click.Path(exists=True, dir_okay=False))
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("--bits", default="8", type=click.Choice(["8", "16", "32"]), show_default=True)
@click.option("--without", multiple=True, help="How the names of weights begin that stay out.")
def main(checkpoint: str, out: str, bits: str, without: tuple[str, ...]) -> None:
    state = model_weights(checkpoint, "generator_ema") or model_weights(checkpoint, "restore")
    state = {name: value for name, value in state.items() if not name.startswith(without)}
    write_weights(state, out, int(bits))
    click.echo(f"{out}: {Path(out).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
