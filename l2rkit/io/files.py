"""Atomic writes, cached arrays and PNG files with a mark of l2rkit."""

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

OURS, OF = "l2rkit", "l2rkit:made of"  # keys in the text chunks of its PNG files
MP4_MARK = b"free" + OURS.encode()  # the last box of its videos: type and content
HTML_MARK = f'<meta name="generator" content="{OURS}">'  # in the head of its pages
HEAD_BYTES = 1000
BAD_ZIP = (OSError, EOFError, ValueError, RuntimeError, NotImplementedError)
BAD_ZIP += (zipfile.BadZipFile, zlib.error)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room on the disk, in the quota, in a file


def write_atomic(path: Path, content: bytes) -> None:
    """Writes `content` to `path` atomically; a missing folder is made.

    A failed write leaves an existing file unchanged and no new one. Several processes may write to
    the same path.
    """
    with beside(path) as file:
        file.write(content)


def write_durable(path: Path, content: bytes | memoryview) -> None:
    """`write_atomic`, also synced to disk against power loss."""
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
    """A context with a temporary file in the folder of `path`, which replaces `path` at the end.

    Its random name is never that of an existing file or link. An error removes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    except BaseException:
        with suppress(OSError):  # the name may be too long
            part.unlink(missing_ok=True)
        raise


def file_digest(path: Path) -> bytes | None:
    """SHA-256 of a file, read in blocks; None if it is missing, a pipe or a device."""
    if not path.is_file():
        return None
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.digest()


def unpacked_size(file: Path | BinaryIO) -> int:
    """Uncompressed bytes of all members of a zip; 0 for a damaged one, left to its reader."""
    try:
        with zipfile.ZipFile(file) as archive:
            return sum(part.file_size for part in archive.infolist())
    except BAD_ZIP:
        return 0


def cached_array(place: Path, make: Callable[[], np.ndarray]) -> np.ndarray:
    """The flat float32 array in the file `place`, which `make` computes if it is missing.

    Several processes may call it at once, as the file is written atomically.
    """
    if place.exists() and place.stat().st_size:  # a crash of the machine may leave it empty
        return np.fromfile(place, np.float32)
    made = np.asarray(make(), np.float32).reshape(-1)
    write_atomic(place, made.tobytes())
    return made


def png(picture: "Image.Image", source: str = "") -> bytes:
    """The content of a PNG file with the picture's colour profile and a text chunk for `source`."""
    file = io.BytesIO()
    picture.save(file, "PNG", icc_profile=picture.info.get("icc_profile"))
    return marked(file.getvalue(), source)


def marked(content: bytes, source: str = "") -> bytes:
    """The content of a PNG file with the mark that `made_of` reads."""
    size = 8 + 25  # signature and header come first
    words = b"".join(_text(key, value) for key, value in (("Software", OURS), (OF, source)))
    return content[:size] + words + content[size:]


def _text(key: str, value: str) -> bytes:
    """A tEXt chunk , as the PNG specification defines it."""
    body = b"tEXt" + key.encode("latin-1") + b"\0" + value.encode("latin-1", "replace")
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def made_of(path: Path) -> str | None:
    """The `source` in a picture that l2rkit wrote; None for any other file."""
    from PIL.GifImagePlugin import GifImageFile
    from PIL.PngImagePlugin import PngImageFile

    found = None
    for kind in (PngImageFile, GifImageFile):  # Image.open would refuse our largest pictures
        with suppress(Exception):  # any content
            if path.is_file():  # reading a pipe would block
                with kind(path) as picture:
                    found = picture.info
                    break
    if found is None:
        return None
    comment = found.get("comment", b"")  # of a GIF
    ours = found.get("Software") == OURS or comment == OURS.encode()
    return str(found.get(OF, "")) if ours else None


def is_ours(path: Path) -> bool:
    """Whether l2rkit wrote a picture (.png, .gif), a video (.mp4) or a page (.html)."""
    try:
        with path.open("rb") as file:
            if path.suffix == ".html":
                return HTML_MARK.encode() in file.read(HEAD_BYTES)
            if path.suffix == ".mp4":
                file.seek(-len(MP4_MARK), os.SEEK_END)
                return file.read() == MP4_MARK
    except OSError:
        return False
    return made_of(path) is not None


def is_full(error: OSError) -> bool:
    """Whether the error is a full disk, a full quota or the limit of a file's size."""
    return error.errno in FULL
