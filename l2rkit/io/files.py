"""Files that are there as a whole or not at all."""

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room on the disk, in the quota, in a file


def write_whole(path: Path, content: bytes) -> None:
    """Writes `content` to `path`, whose folder exists; a file that was there stays until then."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def write_lasting(path: Path, content: bytes | memoryview) -> None:
    """`write_whole` for what a loss of power may not undo either; what fails leaves nothing."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too
        finally:
            os.close(folder)


def kept_array(place: Path, make: Callable[[], np.ndarray]) -> np.ndarray:
    """The float32 numbers, flat, in the file `place`; those that `make` gives if it is not there.

    Several processes may ask for the same: each writes a file of its own first.
    """
    if place.exists():
        return np.fromfile(place, np.float32)
    made = np.asarray(make(), np.float32).reshape(-1)
    part = place.with_name(f"{place.name}.{os.getpid()}")
    part.write_bytes(made.tobytes())
    part.replace(place)
    return made


def png(picture: "Image.Image") -> bytes:
    """The content of a PNG file; a colour profile of the picture goes into it."""
    file = io.BytesIO()
    picture.save(file, "PNG", icc_profile=picture.info.get("icc_profile"))
    return file.getvalue()


def is_full(error: OSError) -> bool:
    """Whether something could not be written for want of room."""
    return error.errno in FULL
