"""A store of complete chunks of arrays, memory-mapped for reading."""

import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np


class ChunkStore:
    """Arrays by chunk number and field: `root/000012/depth.npy` has the 13th chunk's depths.

    A chunk is written into a scratch folder, which is then renamed, atomically. A process killed
    while writing leaves a scratch folder, not a partial chunk.
    """

    def __init__(self, root: Path):
        self.root = Path(root)

    def folder(self, chunk: int) -> Path:
        return self.root / f"{chunk:06d}"

    def missing(self, chunks: int) -> list[int]:
        """The numbers of the missing ones of the first `chunks` chunks."""
        return [chunk for chunk in range(chunks) if not self.folder(chunk).is_dir()]

    def write(self, chunk: int, arrays: dict[str, np.ndarray]) -> None:
        """Writes a chunk; if another process was faster, its chunk stays."""
        self.root.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self.root))
        try:
            for field, array in arrays.items():
                np.save(scratch / f"{field}.npy", array)
            scratch.chmod(0o755)
            os.rename(scratch, self.folder(chunk))
        except OSError:
            if not self.folder(chunk).is_dir():
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def read(self, chunk: int, field: str) -> np.ndarray:
        """A field of a chunk, as a read-only memory map; the file is open as long as it is used."""
        return np.load(self.folder(chunk) / f"{field}.npy", mmap_mode="r")

    def sweep(self) -> None:
        """Removes scratch folders older than an hour, left by killed processes."""
        for scratch in self.root.glob("unfinished-*"):
            if time.time() - scratch.stat().st_mtime > 3600:
                shutil.rmtree(scratch, ignore_errors=True)
