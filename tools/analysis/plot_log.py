"""Plots the logged losses and validation metrics of runs as one PNG.

RUNS are work dirs or scalars.json files. --key selects a quantity and may be repeated; the default
is all.
"""

from pathlib import Path

import click

from l2rkit.cli.common import user_errors
from l2rkit.io.files import write_atomic
from l2rkit.viz.log import plot_logs, read_log


@click.command(help=__doc__)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", default="curves.png", show_default=True, type=click.Path(path_type=Path))
@click.option("--key", "keys", multiple=True, help="A quantity, such as loss_photometric.")
@click.option("--log-scale", is_flag=True, help="Use a logarithmic y axis.")
@user_errors
def main(runs: tuple[Path, ...], out: Path, keys: tuple[str, ...], log_scale: bool) -> None:
    logs = {str(run): read_log(run) for run in runs}
    write_atomic(out, plot_logs(logs, keys, log_scale))
    click.echo(f"{out}: {len(logs)} runs")


if __name__ == "__main__":
    main()
