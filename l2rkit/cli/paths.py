"""Which photos a command reads, and where it writes."""

import os
from collections import Counter
from collections.abc import Sequence
from os.path import isdir
from pathlib import Path


def paths_of(photos: Sequence[str]) -> list[Path]:
    """The photos; a folder stands for those in it."""
    from ..data.photo import list_photos

    return [
        path
        for photo in map(Path, photos)
        for path in (list_photos(photo) if isdir(photo) else [photo])
    ]


def output_names(paths: list[Path]) -> list[str]:
    """A name for each photo's files: its stem, and more where photos share one."""
    stems = Counter(path.stem for path in paths)
    names = [path.stem if stems[path.stem] == 1 else path.name for path in paths]
    seen: Counter[str] = Counter()
    for i, name in enumerate(names):
        seen[name] += 1
        names[i] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    return names


def writable_file(path: str | Path) -> Path:
    """The file that a command will write; its folder is made if it is not there.

    Asked before the work begins, so that no work is done in vain.

    Raises:
        UserError: it is a folder, or cannot be written.
    """
    from ..errors import UserError

    file = Path(path)
    if isdir(file):
        raise UserError(f"cannot write {file}: it is a folder, a file was wanted")
    writable_folder(file.parent)
    if file.exists() and not os.access(file, os.W_OK):
        raise UserError(f"cannot write {file}: permission denied")
    return file


def writable_folder(path: str | Path) -> Path:
    """The folder, made if it is not there.

    Raises:
        UserError: it cannot be made or written to.
    """
    import tempfile

    from ..errors import UserError

    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}") from None
    return folder
