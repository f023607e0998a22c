"""SIDE against how bad the photos are: a line for each method, as SVG."""

import io
from typing import Any

from .table import method

LEVELS = ("clean", "x4", "mild", "severe")  # by what the photos have lost
MARKERS = "osD^vPX*<>"

Curves = dict[tuple[str, str], dict[str, float]]


def curves(entries: list[dict[str, Any]]) -> Curves:
    """`{(config, restorer): {level: SIDE x 100}}` of the setting in which most methods have some.

    A method needs two levels to be a line. Empty if there is none.
    """
    found: dict[tuple[str, int], Curves] = {}
    for entry in entries:
        if "side" in entry["metrics"] and entry["level"] in LEVELS:
            lines = found.setdefault((entry["protocol"], entry["n"]), {})
            line = lines.setdefault((entry["config"], entry.get("restore", "none")), {})
            line[entry["level"]] = entry["metrics"]["side"]["mean"]
    whole = [{k: line for k, line in lines.items() if len(line) > 1} for lines in found.values()]
    return max(whole, key=len, default={})


def plot(entries: list[dict[str, Any]]) -> bytes:
    """The lines of `curves` as SVG: the same bytes for the same entries and matplotlib.

    A colour for each config, a mark for each restorer.
    """
    import matplotlib
    from matplotlib.figure import Figure

    lines = curves(entries)
    configs = sorted({config for config, _ in lines})
    restorers = ["none", *sorted({restorer for _, restorer in lines} - {"none"})]
    # text as text, so that no fonts matter; ids that do not depend on the day
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "l2rkit"}):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.add_subplot()
        for (config, restorer), line in sorted(lines.items()):
            levels = [level for level in LEVELS if level in line]
            axes.plot(
                [LEVELS.index(level) for level in levels],
                [line[level] for level in levels],
                color=f"C{configs.index(config)}",
                marker=MARKERS[restorers.index(restorer) % len(MARKERS)],
                linestyle="-" if restorer == "none" else "--",
                label=method(dict(config=config, restore=restorer, metrics={})),
            )
        axes.set_xticks(range(len(LEVELS)), LEVELS)
        axes.set_ylabel("SIDE x 100, less is better")
        axes.grid(axis="y", alpha=0.3)
        figure.legend(loc="outside right upper", fontsize="small", frameon=False)
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()
