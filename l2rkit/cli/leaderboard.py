"""`l2rkit leaderboard`: tables of results, and the runs that produce results."""

import os
from pathlib import Path
from typing import Any

import click

from ..errors import ConfigError, UserError, near
from ..leaderboard.results import identity, read_entries
from ..leaderboard.table import table
from .common import HELP, user_errors
from .paths import writable_file
from .tables import narrow

CONFIGS, PROJECTS, WORK_DIRS = Path("configs"), Path("projects"), Path("work_dirs")


@click.command(context_settings=HELP)
@click.argument("results", nargs=-1, type=click.Path())
@click.option("--out", type=click.Path(dir_okay=False), help="Write model-zoo.md or another page.")
@click.option("--check", is_flag=True, help="Exit with status 1 if the page at --out is stale.")
@click.option("--run", is_flag=True, help="First run the missing evaluations of the matrix.")
@click.option("--matrix", help="Another list of runs.  [default: configs/matrix.json]")
@click.option("--jobs", type=click.IntRange(1), help="Parallel runs.  [default: one per core]")
@click.option("--only", metavar="TEXT", help="Only runs of the matrix with TEXT in their name.")
@click.pass_context
@user_errors
def leaderboard(
    ctx: click.Context,
    results: tuple[str, ...],
    out: str | None,
    check: bool,
    run: bool,
    matrix: str | None,
    jobs: int | None,
    only: str | None,
) -> None:
    """Prints a table of the entries of RESULTS.

    RESULTS are by default all in configs/, projects/ and work_dirs/. Columns beyond a width of 120
    are left out; the page has all.

    With --out, it writes the page, a plot in docs/ and model-index.yml beside it, and a
    metafile.yml beside each of RESULTS. Results of the protocols in configs/archive.json go to the
    page that it names. Without RESULTS, it also rewrites the marked figures in
    README.md, docs/ and the READMEs of configs/ and projects/ (CONTRIBUTING.md).

    With --run, it first runs the evaluations of the matrix that have no entry. A failed run is
    reported in one line, and the others continue. It may be interrupted and started again.

    Exit status 0: all done. 1: some runs failed, or the page is stale. 2: it could not start.
    """
    if out and not check:
        writable_file(out)
    if not run and (matrix or jobs or only):
        raise ConfigError("--matrix, --jobs and --only are for --run")
    failed = measure(Path(matrix or CONFIGS / "matrix.json"), jobs, only or "") if run else 0
    paths = [Path(path) for path in results]
    every = not paths
    if every:
        places = [CONFIGS, PROJECTS, *([] if out else [WORK_DIRS])]  # pages have no trial runs
        paths = [p for folder in places for p in sorted(folder.glob("*/results.json"))]
        if not paths and not run:
            looked = ", ".join(f"{folder}/*/results.json" for folder in places)
            raise UserError(f"no results here ({looked}): l2rkit test CONFIG makes some")
    if out is None:
        entries: dict[str, dict[str, Any]] = {}
        for entry in (entry for path in paths for entry in read_entries(path)):
            known = entries.setdefault(identity(entry), entry)
            if entry["date"] > known["date"]:  # else that of configs/ before that of work_dirs/
                entries[identity(entry)] = entry
        click.echo(narrow(table(list(entries.values()))))
    elif check:
        texts = documents(paths, Path(out), every)
        stale = [
            path for path, text in texts.items() if isinstance(text, str) and old(path) != text
        ]
        for path in stale:
            click.echo(f"{path} is stale: run l2rkit leaderboard --out {out}", err=True)
        ctx.exit(int(bool(stale or failed)))
    else:
        write(documents(paths, Path(out), every))
    ctx.exit(int(failed > 0))


def measure(matrix: Path, jobs: int | None, only: str) -> int:
    """The number of failed runs, after running the missing evaluations of the matrix.

    Raises:
        UserError: the matrix has no run with `only` in its name.
    """
    from ..leaderboard.matrix import read_matrix, run

    cells = read_matrix(matrix)
    chosen = [cell for cell in cells if only in cell.name]
    if not chosen:
        known = {Path(cell.config).stem for cell in cells}
        raise UserError(f"{matrix} has no run with '{only}' in its name{near(only, known)}")
    return run(chosen, jobs or os.cpu_count() or 1, lambda line: click.echo(line, err=True))


def documents(paths: list[Path], out: Path, every: bool) -> dict[Path, str | bytes]:
    """{path: content} of every file generated from results; pictures are bytes.

    Pages with marked figures are included if `paths` are all results (`every`).
    """
    from ..leaderboard.figures import pages
    from ..leaderboard.metafile import index, listed, metafile
    from ..leaderboard.page import PLOT, archive_page, page, read_archive, read_published
    from ..leaderboard.plot import curves, plot

    entries = {path: read_entries(path) for path in paths}
    joined = [entry for some in entries.values() for entry in some]
    archive = read_archive(CONFIGS / "archive.json")
    kept = archive.protocols if archive else []
    archived = [entry for entry in joined if entry["protocol"] in kept]
    board = [entry for entry in joined if entry["protocol"] not in kept]
    metafiles = {
        path.with_name("metafile.yml"): metafile(path.parent, listed(some))
        for path, some in entries.items()
        if listed(some)
    }
    made: dict[Path, str | bytes] = {
        out: page(board, read_published(CONFIGS / "published.json")),
        out.with_name("model-index.yml"): index(list(metafiles)),
        **metafiles,
    }
    if archive and archived:
        made[out.parent / archive.page] = archive_page(archived, archive)
    drawn = {out.parent / PLOT: plot(board)} if curves(board) else {}
    return made | drawn | (pages(out.parent, joined) if every else {})


def old(path: Path) -> str | None:
    """The text of a file; None if it does not exist."""
    return path.read_text("utf-8") if path.is_file() else None


def write(made: dict[Path, Any]) -> None:
    """Writes texts and pictures, and makes their folders."""
    from ..io.files import write_atomic

    for path, content in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, content.encode() if isinstance(content, str) else content)
