"""`l2rkit leaderboard`: results files in, one table out."""

import json
from pathlib import Path
from typing import Any

import click

from .doors import user_errors

# Title and digits of each figure; a protocol is sorted by the first that it has.
COLUMNS = {
    "side": ("SIDE x 100", 3),
    "mad": ("MAD deg", 2),
    "psnr": ("PSNR dB", 2),
    "ssim": ("SSIM", 3),
    "identity": ("identity", 3),
    "render_psnr": ("drawn, PSNR dB", 2),
    "render_ssim": ("drawn, SSIM", 3),
    "fmd": ("FMD", 3),
    "kmd": ("KMD x 1000", 2),
}
MORE_IS_BETTER = ("psnr", "ssim", "identity", "render_psnr", "render_ssim")
BASELINES = {
    "flat": "flat depth",
    "mean_depth": "mean of the true depths",
    "mean_photo": "the mean photo",
    "half": "half of the photos from the other",
}


@click.command()
@click.argument("results", nargs=-1, type=click.Path())
@click.option("--out", type=click.Path(dir_okay=False), help="Write model-zoo.md or another page.")
@click.option("--check", is_flag=True, help="End with status 1 if the page at --out is stale.")
@click.pass_context
@user_errors
def leaderboard(ctx: click.Context, results: tuple[str, ...], out: str | None, check: bool) -> None:
    """Prints a table of the entries of RESULTS, by default of every configs/*/results.json."""
    paths = [Path(path) for path in results] or sorted(Path("configs").glob("*/results.json"))
    entries = [entry for path in paths for entry in read_entries(path)]
    if out is None:
        click.echo(table(entries))
    elif not check:
        Path(out).write_text(page(entries), "utf-8")
    elif not Path(out).is_file() or Path(out).read_text("utf-8") != page(entries):
        click.echo(f"{out} is stale: run l2rkit leaderboard --out {out}", err=True)
        ctx.exit(1)


def page(entries: list[dict[str, Any]]) -> str:
    """model-zoo.md: the table, and the command behind each of its rows."""
    rows = [
        f"- `{_method(e)}`, {e['level']}, {e['n']} images: `{e['command']}` at commit "
        f"`{e['commit']}`, seed {e['seed']}, {e['hardware']}, {e['date']}{_weights(e)}"
        for e in entries
    ]
    head = "# Model zoo\n\nMade by `tools/leaderboard.py` from `configs/*/results.json`.\n\n"
    return head + table(entries) + "\n\n## How each was measured\n\n" + "\n".join(rows) + "\n"


def read_entries(path: Path) -> list[dict[str, Any]]:
    """The entries of one results.json."""
    from ..errors import DataError

    try:
        entries = json.loads(path.read_text("utf-8"))
        return [{**entry, "metrics": dict(entry["metrics"])} for entry in entries]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is not a results file ({type(error).__name__})") from None


def table(entries: list[dict[str, Any]]) -> str:
    """Markdown tables, one for the protocols with the same figures, best method first.

    What was not measured of a method stays empty. Each setting has its baselines at the end.
    """
    tables: dict[tuple[str, ...], list[str]] = {}
    for setting in sorted({(e["protocol"], e["level"], e["n"]) for e in entries}):
        group = [e for e in entries if (e["protocol"], e["level"], e["n"]) == setting]
        columns = tuple(name for name in COLUMNS if any(name in e["metrics"] for e in group))
        tables.setdefault(columns, _head(columns)).extend(_rows(group, columns))
    return "\n\n".join("\n".join(lines) for lines in tables.values())


def _head(columns: tuple[str, ...]) -> list[str]:
    titles = ["protocol", "level", "method", *(COLUMNS[name][0] for name in columns), "images"]
    return [_row(*titles), "|" + "---|" * len(titles)]


def _rows(group: list[dict[str, Any]], columns: tuple[str, ...]) -> list[str]:
    protocol, level, n = (group[0][key] for key in ("protocol", "level", "n"))
    first = columns[0]
    sign = -1 if first in MORE_IS_BETTER else 1
    measured = [e for e in group if first in e["metrics"]]
    others = [e for e in group if first not in e["metrics"]]
    group = [*sorted(measured, key=lambda e: sign * e["metrics"][first]["mean"]), *others]
    lines = []
    for entry in group:
        cells = [_cell(entry["metrics"], name, name) for name in columns]
        lines.append(_row(protocol, level, _method(entry), *cells, n))
    for prefix, title in BASELINES.items():
        if f"{prefix}_{first}" in group[0]["metrics"]:
            cells = [_cell(group[0]["metrics"], f"{prefix}_{name}", name) for name in columns]
            lines.append(_row(protocol, level, f"({title})", *cells, n))
    return lines


def _method(entry: dict[str, Any]) -> str:
    restorer = entry.get("restore", "none")
    return entry["config"] if restorer == "none" else f"{restorer} + {entry['config']}"


def _weights(entry: dict[str, Any]) -> str:
    digest = entry["weights_sha256"]
    return f"; weights `sha256:{digest[:16]}`" if digest else ""


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _cell(metrics: dict[str, dict[str, float]], name: str, column: str) -> str:
    if name not in metrics:
        return ""
    value, digits = metrics[name], COLUMNS[column][1]
    spread = f" ± {value['std']:.{digits}f}" if "std" in value else ""
    return f"{value['mean']:.{digits}f}{spread}"
