"""Markdown tables of entries."""

from collections.abc import Sequence
from typing import Any

from ..errors import printable
from .columns import COLUMNS
from .paired import interval

BASELINES = {
    "flat": "constant depth",
    "mean_depth": "mean ground-truth depth",
    "mean_photo": "the mean photo",
    "half": "half of the photos from the other",
}
AGAINST = "Δ to best (95 % CI)"
MODEL = "model."  # how options of the model begin


def table(entries: list[dict[str, Any]]) -> str:
    """Markdown tables, one for all protocols with the same metrics, best method first.

    Metrics that were not measured are empty. Each setting has its baselines at the end. With
    per-image figures, the column `AGAINST` has the 95 % interval of the first metric's difference
    to the best row. The best row of each supervision in a setting has its first metric in bold.
    """
    tables: dict[tuple[str, ...], list[list[str]]] = {}
    for setting in sorted({setting_of(entry) for entry in entries}):
        group = [entry for entry in entries if setting_of(entry) == setting]
        columns = tuple(name for name in COLUMNS if any(name in e["metrics"] for e in group))
        if not columns:
            continue  # only unknown metrics
        tables.setdefault(columns, []).extend(_rows(group, columns))
    return "\n\n".join(_table(columns, rows) for columns, rows in tables.items())


def setting_of(entry: dict[str, Any]) -> tuple[str, str, int, tuple[str, ...]]:
    """What entries share that compare: protocol, level, number of images, options of the data."""
    of_data = [option for option in entry.get("options", []) if not option.startswith(MODEL)]
    return entry["protocol"], entry["level"], entry["n"], tuple(of_data)


def method(entry: dict[str, Any]) -> str:
    """An entry's row name, such as `unsup3d_heads` or `FaceRestorer + unsup3d_heads`.

    Pictures of people are `FaceRestorer, 2D`, or `the photo itself`. Options of the command line
    follow in brackets: `l2r_openfaces (refine.albedo.fidelity=0)`.
    """
    restorer, name = entry.get("restore", "none"), entry["config"]
    if picture(entry):
        name = "the photo itself" if restorer == "none" else f"{restorer}, 2D"
    elif restorer != "none":
        name = f"{restorer} + {name}"
    options = ", ".join(option.removeprefix(MODEL) for option in entry.get("options", []))
    return f"{name} ({options})" if options else name


def told_apart(group: list[dict[str, Any]]) -> list[str]:
    """The row names of a setting's entries; those of one name say their weights and seed, too."""
    names = [method(entry) for entry in group]
    return [
        f"{name} (weights {(entry.get('weights_sha256') or 'none')[:8]}, seed {entry.get('seed')})"
        if names.count(name) > 1
        else name
        for name, entry in zip(names, group)
    ]


def unrestored(entry: dict[str, Any]) -> bool:
    """Whether an entry measures photos without any restorer, which is no method."""
    two_dimensional = "psnr" in entry["metrics"] or picture(entry)
    return two_dimensional and entry.get("restore", "none") == "none"


def picture(entry: dict[str, Any]) -> bool:
    """Whether an entry of people measures pictures, not 3D faces."""
    return "rank1_own" in entry["metrics"] and "rank1_side" not in entry["metrics"]


def grid(titles: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; what names of others' entries would do to it is escaped."""
    lines = ["| " + " | ".join(map(in_cell, line)) + " |" for line in [titles, *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(titles), *lines[1:]])


def in_cell(text: str) -> str:
    """The text as one cell shows it: on one line, without HTML and further cells."""
    return printable(text).replace("|", "\\|").replace("<", "&lt;")


def cell(metrics: dict[str, dict[str, float]], name: str, digits: int) -> str:
    """`mean ± std`, or the mean alone without a deviation; "" if `name` was not measured."""
    if name not in metrics:
        return ""
    value = metrics[name]
    spread = f" ± {value['std']:.{digits}f}" if "std" in value else ""
    return f"{value['mean']:.{digits}f}{spread}"


def _table(columns: tuple[str, ...], rows: list[list[str]]) -> str:
    titles = ["protocol", "level", "method", "supervision"]
    lines = [[*titles, *(COLUMNS[name].title for name in columns), AGAINST, "images"], *rows]
    if not any(row[-2] for row in rows):
        lines = [[*line[:-2], line[-1]] for line in lines]
    return grid(lines[0], lines[1:])


def _rows(group: list[dict[str, Any]], columns: tuple[str, ...]) -> list[list[str]]:
    protocol, level, n = (str(group[0][key]) for key in ("protocol", "level", "n"))
    first = columns[0]
    sign = -1 if COLUMNS[first].higher_is_better else 1
    measured = [e for e in group if first in e["metrics"]]
    others = [e for e in group if first not in e["metrics"]]
    group = [*sorted(measured, key=lambda e: sign * e["metrics"][first]["mean"]), *others]
    rows, bold = [], set()
    for entry, row in zip(group, told_apart(group)):
        cells = [cell(entry["metrics"], name, COLUMNS[name].digits) for name in columns]
        supervision = "" if unrestored(entry) else entry.get("supervision", "")
        if cells[0] and supervision and supervision not in bold:
            mean, *spread = cells[0].split(" ", 1)
            cells[0] = " ".join([f"**{mean}**", *spread])
            bold.add(supervision)
        against = _against(entry, group, first)
        rows.append([protocol, level, row, supervision, *cells, against, n])
    for prefix, title in BASELINES.items():
        if f"{prefix}_{first}" in group[0]["metrics"]:
            cells = [
                cell(group[0]["metrics"], f"{prefix}_{name}", COLUMNS[name].digits)
                for name in columns
            ]
            rows.append([protocol, level, f"({title})", "", *cells, "", n])
    return rows


def _against(entry: dict[str, Any], group: list[dict[str, Any]], first: str) -> str:
    """`[0.004, 0.012]`: the interval to the first of `group`; "" without per-image figures."""
    own, best = (e.get("each", {}).get(first) for e in (entry, group[0]))
    if own is None or best is None or len(group) == 1:
        return ""
    if entry is group[0]:
        return "best"
    return ends(interval(own, best, entry.get("photos_per_person", 1)), COLUMNS[first].digits)


def ends(limits: Sequence[float], digits: int) -> str:
    """`[0.004, 0.012]`: the limits of an interval."""
    return f"[{', '.join(number(limit, digits) for limit in limits)}]"


def number(value: float, digits: int) -> str:
    """The value with so many digits after the point, never "-0.000"."""
    return f"{round(value, digits) + 0.0:.{digits}f}"
