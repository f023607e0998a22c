"""MMEngine's local file backend with atomic writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from .files import write_durable


class AtomicBackend(LocalBackend):
    """A local file backend with atomic writes and deferred removals."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[str | Path] | None = None

    def put(self, obj: bytes | memoryview, filepath: str | Path) -> None:
        """Writes `obj` atomically and syncs it to disk."""
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        write_durable(Path(filepath), obj)

    def remove(self, filepath: str | Path) -> None:
        """Removes a file, at the end of `removing_last` if inside one."""
        if self.waiting is None:
            super().remove(filepath)
        else:
            self.waiting.append(filepath)

    @contextmanager
    def removing_last(self) -> Iterator[None]:
        """A context that defers removals to its end, and cancels them after an error.

        Inside another one, they are deferred to the end of the outer one.
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
