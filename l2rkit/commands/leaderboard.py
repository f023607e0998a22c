"""`l2rkit leaderboard`: results files in, one table out."""

import json
from pathlib import Path
from typing import Any

import click

from .doors import user_errors

COLUMNS = {"side": "SIDE x 100", "mad": "MAD deg"}
BASELINES = {"flat": "flat depth", "mean_depth": "mean of the true depths"}


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
        f"`{e['commit']}`, seed {e['seed']}, {e['hardware']}, {e['date']}; weights "
        f"`sha256:{e['weights_sha256'][:16]}`"
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
    """A Markdown table, best SIDE first, each protocol with its baselines at the end."""
    lines = ["| protocol | level | method | SIDE x 100 | MAD deg | images |", "|" + "---|" * 6]
    settings = sorted({(e["protocol"], e["level"], e["n"]) for e in entries})
    for setting in settings:
        group = [e for e in entries if (e["protocol"], e["level"], e["n"]) == setting]
        protocol, level, n = setting
        for entry in sorted(group, key=lambda e: e["metrics"]["side"]["mean"]):
            cells = [_cell(entry["metrics"][name]) for name in COLUMNS]
            lines.append(_row(protocol, level, _method(entry), *cells, n))
        metrics = group[0]["metrics"]
        for prefix, name in BASELINES.items():
            if f"{prefix}_side" in metrics:
                cells = [_cell(metrics[f"{prefix}_{column}"]) for column in COLUMNS]
                lines.append(_row(protocol, level, f"({name})", *cells, n))
    return "\n".join(lines)


def _method(entry: dict[str, Any]) -> str:
    restorer = entry.get("restore", "none")
    return entry["config"] if restorer == "none" else f"{restorer} + {entry['config']}"


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _cell(value: dict[str, float]) -> str:
    return f"{value['mean']:.3f}" + (f" ± {value['std']:.3f}" if "std" in value else "")
