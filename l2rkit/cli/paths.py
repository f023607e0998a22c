"""The photos that a command reads and where it writes, all checked before work begins."""

import os
import re
from collections.abc import Iterable, Sequence
from functools import partial
from glob import glob
from os.path import isdir
from pathlib import Path

from ..io.names import VIDEO_NAME
from .common import say

MAGIC = re.compile(r"[*?\[]")  # the characters of patterns
PROGRESS = "progress.npz"  # in the folder of a video's frames until all are done
OF_FRAMES = re.compile(r"\d{6}(\.(glb|obj|mtl|ply|stl)|-albedo\.png|(?P<picture>\.jpg))")


def paths_of(photos: Sequence[str], *written: Path, suffixes: Iterable[str] = ()) -> list[Path]:
    """The paths of photos: files, those in folders, and those that patterns match.

    Patterns have `*`, `?`, `[...]` or `**`; an existing path is no pattern. Files in output folders
    (`written`) below a folder or pattern are left out, and so are l2rkit's own files if the photos'
    folder itself is or contains an output folder. suffixes: of other files than photos.

    Raises:
        UserError: a folder is missing or has no photos, or a pattern matches none.
    """
    found: list[Path] = []
    for photo in photos:
        if isdir(photo):
            found += _photos_in(Path(photo), written, suffixes)
        elif MAGIC.search(photo) and not os.path.lexists(photo):
            found += _matches(photo, written, suffixes)
        else:
            found.append(Path(photo))
    return found


def _photos_in(folder: Path, written: Sequence[Path], suffixes: Iterable[str]) -> list[Path]:
    from ..data.photo import PhotoError, list_photos

    here = folder.resolve()
    below = [out for out in written if here in out.resolve().parents and out.is_dir()]
    seen = list_photos(folder, partial(say, err=True), suffixes, below)
    found = _not_written(seen, folder, written)
    if not found:
        raise PhotoError(folder, f"holds no photos but what was written to {written[0]}")
    return found


def _matches(pattern: str, written: Sequence[Path], suffixes: Iterable[str]) -> list[Path]:
    from ..data.photo import readable
    from ..errors import UserError

    known = {*readable(), *suffixes}
    files = [Path(each) for each in sorted(glob(pattern, recursive=True)) if not isdir(each)]
    photos = [path for path in files if path.suffix.lower() in known]
    root = Path(pattern[: MAGIC.search(pattern).start()] + "x").parent  # contains all matches
    found = _not_written(photos, root, written)
    if not found:
        others = (
            f": the {len(files)} files that it matches are none, or were written" if files else ""
        )
        raise UserError(f"no photo matches '{pattern}'{others}")
    return found


def _not_written(paths: Sequence[Path], root: Path, written: Sequence[Path]) -> list[Path]:
    """The paths below `root` without those that runs into the folders `written` made."""
    from ..io.files import is_ours

    outs = [out.resolve() for out in written]
    below = [out for out in outs if root.resolve() in out.parents]
    found = []
    for path in paths:
        real = path.parent.resolve()
        if any(out == real or out in real.parents for out in below):
            continue
        into = any(out == real or out in real.parents for out in outs)
        if not (into and (is_ours(path) or holds_frames(real))):
            found.append(path)
    return found


def holds_frames(folder: Path) -> bool:
    """Whether l2rkit wrote the frames of a video into a folder."""
    if not folder.name.endswith(VIDEO_NAME):
        return False
    return (folder / PROGRESS).is_file() or folder.with_name(f"{folder.name}.npz").is_file()


def writable_file(path: str | Path) -> Path:
    """The path of a file that a command will write; a missing folder is made with the file.

    Called before work begins, so that none is lost.

    Raises:
        UserError: the path is a folder, or cannot be written.
    """
    from ..errors import UserError

    file = Path(path)
    if isdir(file):
        raise UserError(f"cannot write {file}: it is a folder; expected a file")
    writable_folder(file.parent)
    if file.exists() and not os.access(file, os.W_OK):
        raise UserError(f"cannot write {file}: permission denied")
    return file


def _exists(path: Path) -> bool:
    """Whether a file, folder or link has this path; raises OSError if none can."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def writable_folder(path: str | Path) -> Path:
    """The path of a folder; a missing one is made with its first file.

    Raises:
        UserError: the folder cannot be made or written to.
    """
    import tempfile

    from ..errors import UserError

    folder = Path(path)
    try:
        place = folder
        while not _exists(place):
            place = place.parent
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}") from None
    return folder
