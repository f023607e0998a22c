"""Files that are there as a whole or not at all."""

import errno
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

OURS, OF = "l2rkit", "l2rkit:made of"  # what its pictures say
BAD_ZIP = (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room on the disk, in the quota, in a file


def write_atomic(path: Path, content: bytes) -> None:
    """Writes `content` to `path`, whose folder exists; a file that was there stays until then.

    What fails or is interrupted leaves nothing. Others may write to the same place meanwhile.
    """
    with beside(path) as file:
        file.write(content)


def write_durable(path: Path, content: bytes | memoryview) -> None:
    """`write_atomic` for what a loss of power may not undo either; what fails leaves nothing."""
    with beside(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too
        finally:
            os.close(folder)


@contextmanager
def beside(path: Path) -> Iterator[BinaryIO]:
    """A new file in the folder of `path`, which takes its place once it is written.

    It has a name of its own, and never is a file or a link that was there.
    """
    part = path.with_name(f"{token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    except BaseException:
        with suppress(OSError):  # its name may be too long
            part.unlink(missing_ok=True)
        raise


def file_digest(path: Path) -> bytes | None:
    """SHA-256 of a file, a part at a time; None of what is no file, such as a pipe or a device."""
    if not path.is_file():
        return None
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.digest()


def unpacked_size(file: Path | BinaryIO) -> int:
    """Bytes of all parts of a zip; 0 for a damaged one, of which whoever reads it says so."""
    try:
        with zipfile.ZipFile(file) as archive:
            return sum(part.file_size for part in archive.infolist())
    except BAD_ZIP:
        return 0


def cached_array(place: Path, make: Callable[[], np.ndarray]) -> np.ndarray:
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


def png(picture: "Image.Image", source: str = "") -> bytes:
    """The content of a PNG file that says that l2rkit wrote it, and of what.

    A colour profile of the picture goes into it.
    """
    file = io.BytesIO()
    picture.save(file, "PNG", icc_profile=picture.info.get("icc_profile"))
    return marked(file.getvalue(), source)


def marked(content: bytes, source: str = "") -> bytes:
    """The content of a PNG file, with the words that `made_of` finds."""
    size = 8 + 25  # its signature and header, which come first
    words = b"".join(_text(key, value) for key, value in (("Software", OURS), (OF, source)))
    return content[:size] + words + content[size:]


def _text(key: str, value: str) -> bytes:
    """A chunk of text of a PNG file, as its specification has it."""
    body = b"tEXt" + key.encode("latin-1") + b"\0" + value.encode("latin-1", "replace")
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def made_of(path: Path) -> str | None:
    """What a picture that l2rkit wrote says it was made of; None for any other file."""
    from PIL.GifImagePlugin import GifImageFile
    from PIL.PngImagePlugin import PngImageFile

    found = None
    for kind in (PngImageFile, GifImageFile):  # Image.open would refuse our largest pictures
        with suppress(Exception):  # a file may be anything at all
            if path.is_file():  # a pipe never ends
                with kind(path) as picture:
                    found = picture.info
                    break
    if found is None:
        return None
    comment = found.get("comment", b"")  # of a GIF
    ours = found.get("Software") == OURS or comment == OURS.encode()
    return str(found.get(OF, "")) if ours else None


def is_full(error: OSError) -> bool:
    """Whether something could not be written for want of room."""
    return error.errno in FULL
