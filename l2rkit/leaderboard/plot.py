"""A plot of SIDE against the level of degradation, one line per method, as SVG."""

import io
from typing import Any

from .table import method

LEVELS = ("clean", "x4", "mild", "severe")  # from good to bad
MARKERS = "osD^vPX*<>"

Curves = dict[tuple[str, str], dict[str, float]]


def curves(entries: list[dict[str, Any]]) -> Curves:
    """`{(config, restorer): {level: SIDE x 100}}` of the setting with most lines.

    A setting is a protocol and a number of images; a line needs two levels. Empty without lines.
    """
    found: dict[tuple[str, int], Curves] = {}
    # the last of a line's entries counts
    for entry in sorted(entries, key=lambda entry: entry.get("date", "")):
        if "side" in entry["metrics"] and entry["level"] in LEVELS and not entry.get("options"):
            lines = found.setdefault((entry["protocol"], entry["n"]), {})
            line = lines.setdefault((entry["config"], entry.get("restore", "none")), {})
            line[entry["level"]] = entry["metrics"]["side"]["mean"]
    whole = [{k: line for k, line in lines.items() if len(line) > 1} for lines in found.values()]
    return max(whole, key=len, default={})


def plot(entries: list[dict[str, Any]]) -> bytes:
    """The lines of `curves` as SVG, one colour per config, one marker per restorer.

    The bytes are the same for the same entries and version of matplotlib.
    """
    import matplotlib
    from matplotlib.figure import Figure

    lines = curves(entries)
    configs = sorted({config for config, _ in lines})
    restorers = ["none", *sorted({restorer for _, restorer in lines} - {"none"})]
    # text stays text, so no fonts matter; ids are reproducible
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
