"""Plots of runs' logs, from the scalars that MMEngine writes into a work dir."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError, near

NOT_SHOWN = ("step", "iter", "epoch", "time", "data_time", "memory")
ACROSS = 3  # plots per row

Log = dict[str, dict[int, float]]  # {quantity: {step: value}}


def read_log(run: Path) -> Log:
    """The logged quantities of a run's work dir; a resumed run replaces earlier values of a step.

    `run` may also be a file of scalars. MMEngine counts validations in epochs, which runs by
    iterations do not have, so they get the previous step. Logs of a test without training are left
    out.

    Raises:
        DataError: there are no logs, or a line is not JSON with a step.
    """
    files = [run] if run.is_file() else sorted(run.glob("*/vis_data/scalars.json"))
    if not files:
        raise DataError(f"no logged figures in {run}: it has no */vis_data/scalars.json")
    log: Log = {}
    for file in files:
        step = 0
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
            try:
                entry = dict(json.loads(line))
                step = int(entry["step"]) or step
                figures = {
                    name: float(value)
                    for name, value in entry.items()
                    if name not in NOT_SHOWN and isinstance(value, int | float)
                }
            except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
                what = f"{file}, line {number} is no JSON of figures with a step"
                raise DataError(f"{what}: {line[:40]!r}") from None
            for name, value in figures.items() if step else ():
                log.setdefault(name, {})[step] = value
    return log


def plot_logs(logs: dict[str, Log], names: Sequence[str] = (), log_scale: bool = False) -> bytes:
    """A PNG with a plot for each quantity, with a line for each run of `logs`.

    logs: {name of a run: its log}; names: the quantities, by default all.

    Raises:
        DataError: no run has a quantity of that name, or none at all.
    """
    from matplotlib.figure import Figure

    known = sorted({name for log in logs.values() for name in log})
    for name in names:
        if name not in known:
            raise DataError(f"no run logged '{name}'{near(name, known)}")
    shown = list(names) or known
    if not shown:
        raise DataError(f"no quantity is logged in {', '.join(logs) or 'no run'}")
    across = min(ACROSS, len(shown))
    down = -(-len(shown) // across)
    figure = Figure(figsize=(5 * across, 3 * down + 0.5), layout="constrained")
    plots = figure.subplots(down, across, squeeze=False).flat
    for name, axes in zip(shown, plots):
        for number, (run, log) in enumerate(logs.items()):
            line = sorted(log.get(name, {}).items())
            mark = "." if len(line) < 20 else ""
            axes.plot(*zip(*line) if line else ([], []), mark + "-", color=f"C{number}", label=run)
        axes.set_title(name, fontsize="medium")
        axes.grid(alpha=0.3)
        if log_scale:
            axes.set_yscale("log")
    for axes in list(plots):
        axes.set_axis_off()
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()
