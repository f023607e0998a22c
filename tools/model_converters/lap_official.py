"""Converts a checkpoint of the released LAP demo to our weight file.

Only tensors are read: nothing that the checkpoint names is imported or run. The result fits a
`LAPDecomposer` of the published size with `confidence=False` and `corner=(20, 15)`.
"""

import click

from l2rkit.cli.common import user_errors
from l2rkit.decompose.official import read_official_lap
from l2rkit.io.weights import write_weights


@click.command(help=__doc__)
@click.argument("source", type=click.Path())
@click.option("--out", required=True, type=click.Path(dir_okay=False), help="FILE.safetensors")
@user_errors
def main(source: str, out: str) -> None:
    write_weights(read_official_lap(source), out)
    click.echo(f"wrote {out}")


if __name__ == "__main__":
    main()
