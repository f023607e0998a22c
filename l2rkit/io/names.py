"""The names of a run's files: a free one for each photo, and none of somebody else's."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import chain, count
from os.path import isdir
from pathlib import Path

from ..errors import UserError
from .files import is_ours

VIDEOS = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"}
REFERENCED = (".mtl", "-albedo.png")  # other files contain the names of these
VIDEO_NAME = "-3d"  # follows the stem of a video in the names of its output files
NO_FACE = re.compile(r"(?!)")  # matches nothing
WATCHED = (".png", ".gif", ".mp4", ".html")  # outputs that might overwrite a user's own files


def is_video(path: str | os.PathLike) -> bool:
    """Whether a path has the suffix of a video."""
    return Path(path).suffix.lower() in VIDEOS


def file_name(name: str, ending: str) -> str:
    """The file name of the mesh `name` with this ending.

    Files that other files refer to have plain names: letters, digits, `.`, `_`, `-`. Readers split
    references at spaces and guess the encoding of other letters.
    """
    return f"{plain(name) if ending in REFERENCED else name}{ending}"


def plain(name: str) -> str:
    """The name if it is plain ASCII, else a plain name that no other name gets."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    if safe == name and not name.startswith("-"):
        return name
    return f"{safe.lstrip('-')}-{sha256(os.fsencode(name)).hexdigest()[:8]}"


def output_names(
    paths: Sequence[Path], endings: Sequence[str] = (".png",), every_face: bool = False
) -> list[str]:
    """A name for each photo's files: its stem, and more where photos would share a file.

    Folders of photos keep their whole names; names of videos end in `VIDEO_NAME`. endings: of each
    photo's files; every_face: reserves names such as `NAME-face2`, too.
    """
    after = [VIDEO_NAME if is_video(path) and not isdir(path) else "" for path in paths]
    own = [(path.name if isdir(path) else path.stem) + end for path, end in zip(paths, after)]
    shared = Counter(own)
    face = face_before(endings) if every_face else NO_FACE
    files: set[str] = set()
    firsts: set[str] = set()  # the files whose further faces they might be
    names: list[str] = []
    for path, stem, end in zip(paths, own, after):
        first = [stem] if shared[stem] == 1 or isdir(path) else []
        numbered = (f"{path.name}-{number}{end}" for number in count(2))
        for name in chain(first, [path.name + end], numbered):
            # some file systems ignore case
            claimed = {file_name(name, ending).casefold() for ending in endings}
            of_first = {face.sub("", file) for file in claimed} - claimed
            if files.isdisjoint(claimed | of_first) and firsts.isdisjoint(claimed):
                break
        files |= claimed
        firsts |= of_first
        names.append(name)
    return names


def face_before(endings: Sequence[str]) -> re.Pattern[str]:
    """What the files of a photo's further faces have more than its own: `-face2` before endings."""
    return re.compile(rf"-face\d+(?=({'|'.join(map(re.escape, endings))})$)", re.IGNORECASE)


def check_outputs(
    photos: Iterable[Path],
    folder: Path,
    names: Sequence[str],
    endings: Sequence[str],
    every_face: bool = False,
) -> None:
    """Checks that a run may write its files `folder/NAME` with each ending.

    Raises:
        UserError: a file is a photo of the run, or a picture, video or page not from l2rkit.
    """
    inputs = {_identity(path) for path in photos} - {None}
    known = {file_name(name, ending) for name in names for ending in endings}
    face = face_before(endings)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        of_first = face.sub("", path.name)
        if path.name not in known and not (every_face and of_first in known):
            continue
        if _identity(path) in inputs:
            kind = "video" if is_video(path) else "photo"
            raise UserError(f"the {kind} {path} would be overwritten: choose another --out")
        if path.suffix in WATCHED:
            check_ours(path)


def check_ours(path: Path) -> None:
    """Raises UserError if a file is there that is not from l2rkit."""
    if path.is_file() and not is_ours(path):
        raise UserError(
            f"{path} is there, and is none of l2rkit's: choose another --out, or move it"
        )


def _identity(path: Path) -> tuple[int, int] | None:
    """The device and inode of a file, equal for all of its names; None if it does not exist."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # also for names that are too long
        return None
    return found.st_dev, found.st_ino
