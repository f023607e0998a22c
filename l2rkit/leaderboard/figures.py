"""Figures in Markdown pages, generated from results.json like model-zoo.md.

A comment above a table describes it in YAML; the table below is replaced:

    <!-- figures
    protocol: people, 128 px
    level: severe
    methods: [face_mesh, FaceRestorer + face_mesh, l2r_openfaces]
    columns: [rank1_own, cosine_own]
    difference: [l2r_openfaces, FaceRestorer + face_mesh]
    -->

`protocol` and `level` may be lists. Methods have their names in model-zoo.md, including baselines
such as `(constant depth)`. `columns` are metrics of results.json. The optional `difference`, a pair
of methods or a list of pairs, adds a row for each: the first method minus the second on the same
images, with a 95 % interval.

A comment after a number in a sentence describes it: method; protocol; level; metric.

    a SIDE of 1.080<!-- figure: l2r_heads; heads, 64 px; severe; side --> at `severe`

A new number may be typed as `?`. Of several matching entries, those of most images count, and of
these the newest.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from ..errors import DataError, near
from .columns import COLUMNS
from .paired import interval
from .table import BASELINES, ends, grid, method, number

PAGES = ("README.md", "docs/*.md", "configs/*/README.md", "projects/*/README.md")
TABLE = re.compile(r"^<!-- figures\n(.*?)^-->\n*(?:\|[^\n]*\n)*\n*", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?:-?\d+(?:\.\d+)?|\?)(<!-- figure: (.+?) -->)")
PREFIXES = {f"({title})": f"{prefix}_" for prefix, title in BASELINES.items()}
NEEDED, ALLOWED = {"protocol", "level", "methods", "columns"}, {"difference"}


def pages(root: Path, entries: list[dict[str, Any]]) -> dict[Path, str]:
    """{path: text} of every page of `root` with such comments, its figures updated.

    Raises:
        DataError: a comment is malformed, or no entry matches it.
    """
    found = {path: path.read_text("utf-8") for each in PAGES for path in sorted(root.glob(each))}
    return {
        path: with_figures(text, entries, str(path))
        for path, text in found.items()
        if TABLE.search(text) or NUMBER.search(text)
    }


def with_figures(text: str, entries: list[dict[str, Any]], page: str) -> str:
    """The Markdown `text` with every marked table and number replaced.

    `page` is its name in errors. Raises DataError as `pages` does.
    """

    def of_table(found: re.Match[str]) -> str:
        try:
            end = "\n\n" if found.end() < len(found.string) else "\n"
            return f"<!-- figures\n{found[1]}-->\n\n{_table(found[1], entries)}{end}"
        except DataError as error:
            raise DataError(f"{_place(page, found)}: {error}") from None

    def of_number(found: re.Match[str]) -> str:
        try:
            names = [name.strip() for name in found[2].split(";")]
            if len(names) != 4:
                raise DataError(f"not 'method; protocol; level; metric': '{found[2]}'")
            return _mean(_entry(entries, *names[:3]), names[0], names[3]) + found[1]
        except DataError as error:
            raise DataError(f"{_place(page, found)}: {error}") from None

    return NUMBER.sub(of_number, TABLE.sub(of_table, text))


def _place(page: str, found: re.Match[str]) -> str:
    return f"{page}:{found.string.count(chr(10), 0, found.start()) + 1}"


def _table(text: str, entries: list[dict[str, Any]]) -> str:
    request = _parsed(text)
    protocols, levels = request["protocol"], request["level"]
    settings = [(protocol, level) for protocol in protocols for level in levels]
    columns = request["columns"]
    titles = [_title(name) for name in columns]
    named = {"protocol": len(protocols) > 1, "level": len(levels) > 1}
    rows = []
    for setting in settings:
        chosen = {name: _entry(entries, name, *setting) for name in request["methods"]}
        said = [word for word, shown in zip(setting, named.values()) if shown]
        for name, entry in chosen.items():
            cells = [_mean(entry, name, column, needed=False) for column in columns]
            rows.append([*said, name, *cells])
        for pair in request["difference"]:
            first, second = (_entry(entries, name, *setting) for name in pair)
            cells = [_difference(first, second, column) for column in columns]
            rows.append([*said, f"{' minus '.join(pair)} (95 % CI)", *cells])
    return grid([*(word for word, shown in named.items() if shown), "method", *titles], rows)


def _parsed(text: str) -> dict[str, Any]:
    try:
        request = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"figures are not YAML: {' '.join(str(error).split())}") from None
    keys = set(request) if isinstance(request, dict) else set()
    if not keys >= NEEDED or keys - NEEDED - ALLOWED:
        raise DataError(f"figures have {sorted(keys)}, not {sorted(NEEDED)}")
    pairs = request.pop("difference", [])
    if not isinstance(pairs, list) or not all(isinstance(pair, list) for pair in pairs):
        pairs = [pairs]
    pairs = [_several(pair) for pair in pairs]
    if any(len(pair) != 2 for pair in pairs):
        raise DataError("'difference' is not two methods")
    return {key: _several(value) for key, value in request.items()} | {"difference": pairs}


def _several(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value])]


def _title(name: str) -> str:
    if name not in COLUMNS:
        raise DataError(f"no figure is called '{name}'{near(name, COLUMNS)}")
    return COLUMNS[name].title


def _entry(entries: list[dict[str, Any]], name: str, protocol: str, level: str) -> dict[str, Any]:
    """The entry of a method that counts; for a baseline, the one that counts with its metrics."""
    setting = [e for e in entries if (e["protocol"], e["level"]) == (protocol, level)]
    if prefix := PREFIXES.get(name):
        found = [e for e in setting if any(key.startswith(prefix) for key in e["metrics"])]
    else:
        found = [e for e in setting if method(e) == name]
    if not found:
        known = {method(e) for e in setting} or {e["protocol"] for e in entries}
        hint = near(name if setting else protocol, known)
        raise DataError(f"no result of '{name}' by '{protocol}' at '{level}'{hint}")
    return newest(found)


def newest(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry of most images; of several the newest, which is the last of those of one day."""
    return max(reversed(entries), key=lambda entry: (entry["n"], entry["date"]))


def _mean(entry: dict[str, Any], name: str, metric: str, needed: bool = True) -> str:
    _title(metric)
    key = PREFIXES.get(name, "") + metric
    if key in entry["metrics"]:
        return f"{entry['metrics'][key]['mean']:.{COLUMNS[metric].digits}f}"
    if needed:
        raise DataError(f"the result of '{name}' there has no {key}")
    return ""


def _difference(first: dict[str, Any], second: dict[str, Any], metric: str) -> str:
    """`0.036 [0.031, 0.040]`; empty if per-image figures are missing."""
    ours, theirs = first["each"].get(metric), second["each"].get(metric)
    if ours is None or theirs is None or len(ours) != len(theirs):
        return ""
    digits = COLUMNS[metric].digits
    mean = number(float((ours - theirs).mean()), digits)
    return f"{mean} {ends(interval(ours, theirs, first.get('photos_per_person', 1)), digits)}"
