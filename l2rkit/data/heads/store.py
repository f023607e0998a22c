"""A folder of whole chunks of arrays: memory-mapped when read, never half there."""

import os
import shutil
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np


class ChunkStore:
    """Arrays by chunk number and field: `root/000012/depth.npy` holds the 13th chunk's depths.

    A chunk is written into a scratch folder beside its place and then renamed, which is atomic:
    whoever dies while writing leaves a scratch folder, never a chunk.
    """

    def __init__(self, root: Path):
        self.root = Path(root)

    def folder(self, chunk: int) -> Path:
        return self.root / f"{chunk:06d}"

    def missing(self, chunks: int) -> list[int]:
        """Which of the first `chunks` chunks are not there yet."""
        return [chunk for chunk in range(chunks) if not self.folder(chunk).is_dir()]

    def write(self, chunk: int, arrays: dict[str, np.ndarray]) -> None:
        """Add a chunk; if another process was faster, its chunk stays."""
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
        """A read-only memory map."""
        return _mapped(self.folder(chunk) / f"{field}.npy")

    def sweep(self) -> None:
        """Remove scratch folders untouched for an hour: their writers died."""
        for scratch in self.root.glob("unfinished-*"):
            if time.time() - scratch.stat().st_mtime > 3600:
                shutil.rmtree(scratch, ignore_errors=True)


@lru_cache(maxsize=4096)
def _mapped(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r")
