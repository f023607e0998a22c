"""MMEngine's local files, which are there as a whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from .files import write_durable


class AtomicBackend(LocalBackend):
    """Local files that are there as a whole or not at all; what goes can wait for what comes."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[str | Path] | None = None

    def put(self, obj: bytes | memoryview, filepath: str | Path) -> None:
        """Writes `obj` so that it outlasts the process and the machine's power."""
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        write_durable(Path(filepath), obj)

    def remove(self, filepath: str | Path) -> None:
        if self.waiting is None:
            super().remove(filepath)
        else:
            self.waiting.append(filepath)

    @contextmanager
    def removing_last(self) -> Iterator[None]:
        """What is removed in this context goes at its end, and stays if it ends in an error.

        One within another ends with the outer one.
        """
        if self.waiting is not None:
            yield
            return
        self.waiting = []
        try:
            yield
            for path in self.waiting:
                super().remove(path)
        finally:
            self.waiting = None


register_backend("AtomicBackend", AtomicBackend, force=True)
