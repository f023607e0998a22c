"""The runs behind the leaderboard: a matrix of configs, restorers and levels, one process per run.

A matrix is a JSON list of groups. A group means all combinations of its configs, levels and
restorers; a restorer is the options of `tools/test.py` that select it:

    [{"configs": ["configs/unsup3d/unsup3d_heads2.py"],
      "levels": ["clean", "severe"],
      "restorers": ["", "--restore Resample"]}]

`"weights": "none"` is for configs without weights; others are measured with their shipped ones.
`"protocols": ["", "cross_view"]` adds protocols; "" is the config's own.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..errors import DataError, UserError
from ..io.reading import read_json
from ..zoo import shipped_weights
from .results import digest, enter, read_arrays, read_entries

TEST = Path(__file__).parents[2] / "tools" / "test.py"

# Freed memory is kept for the next batch: allocating it again took a fifth of the time.
GLIBC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1)}


@dataclass(frozen=True)
class Cell:
    """One run of tools/test.py."""

    config: str
    level: str
    restorer: str  # options of tools/test.py; "": none
    weightless: bool
    protocol: str = ""  # "": the config's own

    @property
    def name(self) -> str:
        """`unsup3d_heads2, severe, --restore FaceRestorer`."""
        words = [Path(self.config).stem, self.protocol, self.level, self.restorer]
        return ", ".join(word for word in words if word)

    @property
    def words(self) -> list[str]:
        """The arguments of tools/test.py."""
        level = [] if self.level == "clean" else ["--level", self.level]
        protocol = ["--protocol", self.protocol] if self.protocol else []
        return [self.config, *protocol, *level, *shlex.split(self.restorer)]

    @property
    def command(self) -> str:
        """The command, as its entry has it."""
        return f"python tools/test.py {shlex.join(self.words)}"

    @property
    def results(self) -> Path:
        """The file for its entry."""
        return Path(self.config).parent / "results.json"

    def weights(self) -> str | None:
        """SHA-256 of the config's shipped weights, None if it has none.

        Raises:
            WeightsError: they are not shipped.
        """
        return None if self.weightless else digest(shipped_weights(self.config))

    def measured(self) -> bool:
        """Whether an entry has this command, these weights and per-image figures.

        Entries do not know the weights of a restorer: remove those of one that was trained again.
        """
        entries = read_entries(self.results) if self.results.exists() else []
        weights = self.weights()
        return any(
            entry["each"]
            and entry["command"] == self.command
            and entry["weights_sha256"] == weights
            for entry in entries
        )


def read_matrix(path: Path) -> list[Cell]:
    """The cells of a matrix, in the order of the file, without duplicates.

    Raises:
        DataError: the file is not a matrix.
    """
    try:
        cells = [
            Cell(str(config), str(level), str(restorer), group.get("weights") == "none", str(by))
            for group in read_json(path)
            for by in group.get("protocols", [""])
            for config in group["configs"]
            for restorer in group["restorers"]
            for level in group["levels"]
        ]
        for cell in cells:
            shlex.split(cell.restorer)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{path} is not a matrix of runs ({reason})") from None
    return list(dict.fromkeys(cells))


def run(cells: list[Cell], jobs: int, say: Callable[[str], None]) -> int:
    """The number of failed cells, after measuring those without an entry, `jobs` at a time.

    `say` gets one line per cell. Only this process writes entries, each after its run has ended. So
    a killed process leaves no partial entry, and the next call continues.
    """
    todo = []
    for cell in cells:
        try:
            if not cell.measured():
                todo.append(cell)
                continue
            say(f"there already: {cell.name}")
        except UserError as error:
            say(f"skipped: {cell.name}: {error}")
    failed, begin = 0, time.monotonic()
    for done, (cell, outcome) in enumerate(outcomes(todo, jobs), 1):
        try:
            made, each = outcome()
            enter(made, cell.results, each)
            said = f"measured: {cell.name}"
        except UserError as error:
            failed += 1
            said = f"failed: {cell.name}: {error}"
        minutes = (time.monotonic() - begin) / 60
        left = minutes / done * (len(todo) - done)
        say(f"{done} of {len(todo)}, {minutes:.1f} min, about {left:.0f} left; {said}")
    return failed


def outcomes(todo: list[Cell], jobs: int) -> Iterator[tuple[Cell, Callable[[], Any]]]:
    """Cells as they end, each with a function that returns its outcome or raises its error."""
    pool = ThreadPoolExecutor(jobs)
    with TemporaryDirectory(ignore_cleanup_errors=True) as restored:
        try:
            futures = {pool.submit(measure, cell, jobs, restored): cell for cell in todo}
            for future in as_completed(futures):
                yield futures[future], future.result
        finally:
            pool.shutdown(cancel_futures=True)  # waits for running cells


def measure(cell: Cell, jobs: int, restored: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The entry and per-image figures of a cell, from a process with its share of the cores.

    Restored photos are cached in the folder `restored` for later cells.

    Raises:
        UserError: the process failed; the message is the last line of its standard error.
    """
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    shares = {"OMP_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads, **GLIBC}
    restores = "--restore" in cell.words and not cell.weightless
    keep = ("--keep", restored) if restores else ()
    with TemporaryDirectory() as folder:
        path = Path(folder, "results.json")
        command = [sys.executable, str(TEST), *cell.words, *keep, "--results", str(path)]
        ended = subprocess.run(
            command, capture_output=True, text=True, env={**shares, **os.environ}
        )
        if ended.returncode:
            lines = [line for line in ended.stderr.splitlines() if line.strip()]
            raise UserError(lines[-1].removeprefix("Error: ") if lines else f"{ended.returncode}")
        (entry,) = read_json(path)
        arrays = read_arrays(path.with_suffix(".npz"))
    return entry, {key.partition(".")[2]: array for key, array in arrays.items()}
