"""Which photos a command reads, and where it writes: all of it is known before work begins."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain, count
from os.path import isdir
from pathlib import Path

from .common import say

PICTURES = (".png", ".gif")  # of what is written, that may be a photo of somebody's


def paths_of(photos: Sequence[str], *written: Path) -> list[Path]:
    """The photos; a folder stands for those in it.

    Of a folder, what lies in a folder below it that is `written` to is no photo of it, nor are
    pictures of l2rkit's own among photos in a folder that is.

    Raises:
        UserError: a folder is not there, or holds no photos.
    """
    return [
        path
        for photo in map(Path, photos)
        for path in (_photos_in(photo, written) if isdir(photo) else [photo])
    ]


def _photos_in(folder: Path, written: Sequence[Path]) -> list[Path]:
    from ..data.photo import PhotoError, list_photos
    from ..io.files import made_of

    outs = [out.resolve() for out in written]
    below = [out for out in outs if folder.resolve() in out.parents]
    found = []
    for path in list_photos(folder, partial(say, err=True)):
        real = path.parent.resolve()
        if any(out == real or out in real.parents for out in below):
            continue
        if not (real in outs and made_of(path) is not None):
            found.append(path)
    if not found:
        raise PhotoError(folder, f"holds no photos but what was written to {written[0]}")
    return found


def output_names(
    paths: Sequence[Path], endings: Sequence[str] = (".png",), every_face: bool = False
) -> list[str]:
    """A name for each photo's files: its stem, and more where photos would share a file.

    Folders of photos keep their whole names. endings: how the names of each photo's files end;
    every_face: whether there may be `NAME-face2` and so on.
    """
    from ..viz.formats import file_name

    own = [path.name if isdir(path) else path.stem for path in paths]
    shared = Counter(own)
    files: set[str] = set()
    names: list[str] = []
    for path, stem in zip(paths, own):
        first = [stem] if shared[stem] == 1 or isdir(path) else []
        numbered = (f"{path.name}-{number}" for number in count(2))
        for name in chain(first, [path.name], numbered):
            # not all disks tell A from a
            wanted = {file_name(name, ending).casefold() for ending in endings}
            if files.isdisjoint(wanted) and not (every_face and _is_face(name, names)):
                break
        files |= wanted
        names.append(name)
    return names


def _is_face(name: str, others: Iterable[str]) -> bool:
    """Whether a name is that of the second or a later face of another's photo, or the reverse."""
    return any(
        re.fullmatch(rf"{re.escape(one)}-face\d+", other, re.IGNORECASE)
        for known in others
        for one, other in ((name, known), (known, name))
    )


def check_outputs(
    photos: Iterable[Path],
    folder: Path,
    names: Sequence[str],
    endings: Sequence[str],
    every_face: bool = False,
) -> None:
    """Looks whether files of a run, `folder/NAME` and an ending, may be written.

    Raises:
        UserError: one is a photo of the run, or a picture that l2rkit did not write.
    """
    from ..errors import UserError
    from ..io.files import made_of
    from ..viz.formats import file_name

    inputs = {_identity(path) for path in photos} - {None}
    known = {file_name(name, ending) for name in names for ending in endings}
    face = rf"-face\d+(?=({'|'.join(map(re.escape, endings))})$)"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        plain = re.sub(face, "", path.name)
        if path.name not in known and not (every_face and plain in known):
            continue
        if _identity(path) in inputs:
            raise UserError(f"the photo {path} would be overwritten: choose another --out")
        if path.suffix in PICTURES and path.is_file() and made_of(path) is None:
            raise UserError(
                f"{path} is there, and is none of l2rkit's: choose another --out, or move it"
            )


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from all others, whatever it is called; None if it is not there."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # too long a name, too
        return None
    return found.st_dev, found.st_ino


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
