"""The text of model-zoo.md and of the archive: results, and the commands behind them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..io.reading import read_json
from .columns import PUBLISHED
from .paired import DRAWS
from .plot import curves
from .supervision import IMAGES, KNOWN
from .table import AGAINST, cell, grid, method, table

PLOT = "docs/robustness.svg"

HEAD = f"""# Model zoo

Made by `tools/leaderboard.py --out model-zoo.md` from the results of methods and projects; with
`--run` it first measures what is missing of `configs/matrix.json`. Figures are means over images,
± their standard deviation.

The column "supervision" says what a method has learnt from; it is derived from its config. `I` is
images only, `I, keypoint` facial keypoints as well, `I, 3D` anything in 3D as well
([protocols](docs/protocols.md#supervision)). In each protocol, level and number of images, the best
row of each supervision has its first figure in **bold**.

The column "{AGAINST}", where there is one, says how a row's first figure differs from that of the
best row on the same images: row minus best, the ends of a paired bootstrap's interval of {DRAWS:,}
draws of people, each with all of his images. If it holds 0, the difference may be chance. It is
empty where each image's figures were not kept.
"""


@dataclass(frozen=True)
class Archive:
    """Protocols whose results have left the board, and the page that keeps them."""

    page: str
    title: str
    text: str
    protocols: list[str]


def read_archive(path: Path) -> Archive | None:
    """The archive that a JSON file describes; None if there is no such file.

    Raises:
        DataError: the file is malformed.
    """
    if not path.exists():
        return None
    try:
        archive = Archive(**read_json(path))
        if not isinstance(archive.protocols, list) or not archive.page.endswith(".md"):
            raise ValueError("protocols is no list, or page no Markdown file")
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path} does not describe an archive: {error}") from None
    return archive


OF_GROUP = "rank1_own_"
SERVED = """## Who is served worse

Rank-1 in percent, in the photo's view, by source of the photos and by tercile of skin tone (where
photos have colour). What the figures mean: docs/protocols.md.
"""

MEASURED = "## How each was measured"

ELSEWHERE = """## Published by others

Read from the sources named, on their data: **not to be compared** with the figures above.
"""


def page(entries: list[dict[str, Any]], published: list[dict[str, Any]]) -> str:
    """The page: tables, published figures, and the command of each row."""
    parts = [HEAD]
    if curves(entries):
        parts.append(f"![SIDE against how bad the photos are]({PLOT})\n")
    parts.append(table(entries) + "\n")
    if served := groups(entries):
        parts += [SERVED, served + "\n"]
    if published:
        parts += [ELSEWHERE, elsewhere(published) + "\n"]
    return "\n".join([*parts, MEASURED + "\n", measured(entries)])


def archive_page(entries: list[dict[str, Any]], archive: Archive) -> str:
    """The page of archived results: tables, and the command of each row."""
    parts = [f"# {archive.title}", archive.text, table(entries), MEASURED, measured(entries)]
    return "\n\n".join(parts)


def groups(entries: list[dict[str, Any]]) -> str:
    """A table of rank-1 accuracy per group of people; "" if no entry has any."""
    settings = [
        e
        for e in entries
        if "rank1_own" in e["metrics"] and any(name.startswith(OF_GROUP) for name in e["metrics"])
    ]
    names = dict.fromkeys(
        name for e in settings for name in e["metrics"] if name.startswith(OF_GROUP)
    )
    settings.sort(key=lambda e: (e["protocol"], e["level"], -e["metrics"]["rank1_own"]["mean"]))
    rows = [
        [e["protocol"], e["level"], method(e), *(cell(e["metrics"], name, 1) for name in names)]
        for e in settings
    ]
    titles = ["protocol", "level", "method", *(name.removeprefix(OF_GROUP) for name in names)]
    return grid(titles, rows) if rows else ""


def measured(entries: list[dict[str, Any]]) -> str:
    """A collapsed table: command, commit, seed, hardware, date and weights of each entry."""
    titles = ["method", "command", "commit", "seed", "hardware", "date", "weights"]
    rows = []
    for e in entries:
        weights = (e["weights_sha256"] or "")[:16]
        how = [e["commit"], str(e["seed"]), e["hardware"], e["date"], weights]
        rows.append([method(e), f"`{e['command']}`", *how])
    fold = (
        f"<details>\n<summary>{len(entries)} runs; of weights the first of their SHA-256</summary>"
    )
    return f"{fold}\n\n{grid(titles, rows)}\n\n</details>\n"


def elsewhere(published: list[dict[str, Any]]) -> str:
    """Tables of published figures, one for all entries with the same metrics."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for entry in published:
        columns = tuple(name for name in PUBLISHED if name in entry["metrics"])
        groups.setdefault(columns, []).append(entry)
    tables = []
    for columns, group in groups.items():
        known = any("supervision" in entry for entry in group)
        titles = ["data", "method", *["supervision"] * known]
        titles += [*(PUBLISHED[name].title for name in columns), "source"]
        rows = []
        for entry in group:
            cells = [entry.get("supervision", "")] * known
            cells += [cell(entry["metrics"], name, PUBLISHED[name].digits) for name in columns]
            rows.append([entry["data"], entry["method"], *cells, entry["source"]])
        tables.append(grid(titles, rows))
    return "\n\n".join(tables)


def read_published(path: Path) -> list[dict[str, Any]]:
    """The entries of published.json; an empty list if there is no such file.

    Raises:
        DataError: an entry lacks a key, or has an unknown key, metric or supervision.
    """
    if not path.exists():
        return []
    try:
        entries = read_json(path)
        for entry in entries:
            unknown = set(entry["metrics"]) - set(PUBLISHED)
            if unknown or set(entry) - {"supervision"} != {"method", "data", "metrics", "source"}:
                raise ValueError(f"{entry['method']} has {sorted(unknown or entry)}")
            if entry.get("supervision", IMAGES) not in KNOWN:
                raise ValueError(f"{entry['method']} has supervision {entry['supervision']!r}")
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise DataError(f"{path} is no list of published figures: {error}") from None
    return entries
