"""A store of rows that are made on first use, in sparse memory-mapped files."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from l2rkit.errors import DataError
from l2rkit.ops.distributed import is_first_process

ROWS = 32  # in a chunk
WORTH_A_LINE = 1000  # so many missing rows print an estimate of the time
ANNOUNCED: set[tuple[Path, int]] = set()  # estimates that this process has printed
MADE = "made"  # the file that marks a chunk's existing rows
Layout = dict[str, tuple[tuple[int, ...], type]]  # {field of a row: (shape, dtype)}


class RowStore:
    """A store of rows: `root/000012/depth.npy` has ROWS rows from row 12 * ROWS on.

    A row is written before it is marked as made, so a killed process leaves it unmarked. Processes
    that make the same row at the same time write the same bytes.
    """

    def __init__(self, root: Path, layout: Layout):
        self.root, self.layout = Path(root), layout

    def row(self, number: int, fields: Iterable[str]) -> dict[str, np.ndarray] | None:
        """The fields of a row; None if it does not exist yet."""
        chunk, row = divmod(number, ROWS)
        folder = self._folder(chunk)
        if not folder.is_dir() or not _read(folder / f"{MADE}.npy")[row]:
            return None
        return {field: np.array(_read(folder / f"{field}.npy")[row]) for field in fields}

    def write(self, number: int, sample: dict[str, np.ndarray]) -> None:
        """Writes a row, with every field of the layout.

        Raises:
            DataError: the disk is full, or the folder is not writable.
        """
        chunk, row = divmod(number, ROWS)
        folder = self._folder(chunk)
        try:
            if not folder.is_dir():
                self._begin(folder)
            for field in (*self.layout, MADE):
                rows = _mapped(folder / f"{field}.npy", "r+")
                _reserve(rows, row)
                rows[row] = 1 if field == MADE else sample[field]
        except OSError as error:
            raise DataError(f"{folder} cannot be written: {error.strerror}") from None

    def made(self, rows: int) -> int:
        """The number of existing rows among the first `rows`."""
        if not self.root.is_dir():
            return 0
        count = 0
        for chunk in range(-(-rows // ROWS)):
            folder = self._folder(chunk)
            if folder.is_dir():
                left = rows - chunk * ROWS
                count += int(np.count_nonzero(_read(folder / f"{MADE}.npy")[:left]))
        return count

    def row_bytes(self) -> int:
        """Bytes of a row on disk."""
        return sum(int(np.prod(s)) * np.dtype(t).itemsize for s, t in self.layout.values())

    def get(
        self, number: int, fields: Iterable[str], make: Callable[[int], Iterable[tuple[int, dict]]]
    ) -> dict[str, np.ndarray]:
        """The fields of a row, which is made if missing.

        make: number → (row number, sample) of the row and of others that are cheap to make with it;
        all are written.
        """
        found = self.row(number, fields)
        if found is None:
            for other, sample in make(number):
                self.write(other, sample)
            found = self.row(number, fields)
        return found

    def announce(self, rows: int, size: int, seconds: dict[int, float]) -> None:
        """Prints the time and disk space of the missing rows, if they are many, once per launch.

        size: px of the pictures; seconds: {px: seconds per picture}.
        """
        missing = rows - self.made(rows) if rows >= WORTH_A_LINE else 0
        if missing < WORTH_A_LINE or (self.root, rows) in ANNOUNCED or not is_first_process():
            return
        ANNOUNCED.add((self.root, rows))
        near = min(seconds, key=lambda known: abs(known - size))
        minutes = missing * seconds[near] * (size / near) ** 2 / 60
        print(
            f"{missing:,} synthetic heads of {size} px are rendered on first use: about "
            f"{max(1, round(minutes))} min on one core and {missing * self.row_bytes() / 1e9:.1f} "
            f"GB in {self.root}, if all are",
            file=sys.stderr,
            flush=True,
        )

    def _folder(self, chunk: int) -> Path:
        return self.root / f"{chunk:06d}"

    def _begin(self, folder: Path) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self.root))
        try:
            for field, (shape, dtype) in (self.layout | {MADE: ((), np.uint8)}).items():
                whole = (ROWS, *shape)
                np.lib.format.open_memmap(scratch / f"{field}.npy", "w+", dtype=dtype, shape=whole)
            scratch.chmod(0o755)
            os.rename(scratch, folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _reserve(rows: np.memmap, row: int) -> None:
    """Makes room on the disk for a row. On a full disk, writing to the map kills the process."""
    if hasattr(os, "posix_fallocate"):
        size = rows.nbytes // len(rows)
        with open(rows.filename, "r+b") as file:
            os.posix_fallocate(file.fileno(), rows.offset + row * size, size)


def _read(path: Path) -> np.memmap:
    """As `_mapped`, for reading. Raises DataError if it cannot be opened, too."""
    try:
        return _mapped(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def _mapped(path: Path, mode: str = "r") -> np.memmap:
    """The array of a file, which stays open only as long as the array is used.

    Raises:
        DataError: it is missing or damaged.
        OSError: it cannot be opened.
    """
    try:
        return np.load(path, mmap_mode=mode)
    except (ValueError, EOFError, FileNotFoundError):
        raise DataError(
            f"{path} is missing or damaged: delete {path.parent}, whose rows are then made again"
        ) from None
