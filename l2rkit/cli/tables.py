"""Tables for terminals, limited in width."""

from collections.abc import Sequence
from itertools import groupby, zip_longest
from textwrap import wrap

WIDTH = 120  # columns of text
GAP = "  "
SETTING = ("protocol", "level", "images")  # rows with equal values have one heading


def in_columns(rows: Sequence[Sequence[str]], width: int = WIDTH) -> list[str]:
    """The lines of a table, at most `width` wide; the last two columns are wrapped."""
    fixed = [max(map(len, column)) for column in list(zip(*rows))[:-2]]
    rest = width - sum(fixed) - len(GAP) * (len(fixed) + 1)
    widths = [*fixed, rest - rest // 3, rest // 3]
    lines = []
    for row in rows:
        cells = [wrap(cell, wide) for cell, wide in zip(row, widths)]
        for parts in zip_longest(*cells, fillvalue=""):
            padded = (part.ljust(wide) for part, wide in zip(parts, widths))
            lines.append(GAP.join(padded).rstrip())
    return lines


def narrow(markdown: str, width: int = WIDTH) -> str:
    """Markdown tables of at most `width`; a wider one becomes one table per setting.

    Columns that do not fit are left out from the right, but not the first metric.
    """
    return "\n\n".join(_narrow(table, width) for table in markdown.split("\n\n"))


def _narrow(table: str, width: int) -> str:
    lines = table.splitlines()
    if max(map(len, lines), default=0) <= width:
        return table
    titles, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    settings = [titles.index(name) for name in SETTING]
    kept = [number for number in range(len(titles)) if number not in settings]
    shown = []
    for setting, group in groupby(rows, lambda row: [row[number] for number in settings]):
        cells = [titles, *group]
        columns = [[row[number].replace("**", "") for row in cells] for number in kept]
        wide = [max(map(len, column)) for column in columns]
        count = len(columns)
        while count > 3 and sum(wide[:count]) + len(GAP) * (count - 1) > width:
            count -= 1
        left = len(columns) - count
        more = f"; {left} more columns with --out FILE.md" if left else ""
        shown.append(f"{setting[0]}, {setting[1]}, {setting[2]} images{more}")
        for row in zip(*columns[:count]):
            padded = (cell.ljust(each) for cell, each in zip(row, wide))
            shown.append(GAP.join(padded).rstrip()[:width])
        shown.append("")
    return "\n".join(shown).rstrip()
