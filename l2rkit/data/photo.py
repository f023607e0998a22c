"""Photos from disk: any common picture file in, (H, W, 3) uint8 RGB out, or one clear line.

Everything after this door sees the same thing: 8-bit RGB, upright, no transparency, longest side
at most ``LONGEST_SIDE``.
"""

import os
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from l2rkit.errors import UserError
from l2rkit.ops.threads import fork_safe_lock

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
SUFFIXES |= {".ppm", ".pgm", ".jp2", ".avif"}
# EPS, PDF and the like are left out: Pillow would start other programs to read them
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000", "AVIF")
SMALLEST_SIDE = 8  # px; below it there is no face to speak of
LONGEST_SIDE = 6000  # px; the width of a 24-megapixel camera's picture
LIMIT_REDUCED = 400_000_000  # px; JPEG is reduced while it is decoded, so it may be this large
LIMIT_WHOLE = 150_000_000  # px; other formats must fit in memory whole
BEHIND = 128  # transparent pixels show mid grey: neither a bright nor a dark edge round the face

ORIENTATION_TAG = 0x0112
UPRIGHT = {  # EXIF orientation -> the turn that makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_pillow_limit = fork_safe_lock()


class PhotoError(UserError):
    """A photo cannot be used; the message is one line that names the file and the reason."""

    def __init__(self, path, reason: str):
        super().__init__(" ".join(f"photo '{path}': {reason}".split()))


def read_photo(path) -> np.ndarray:
    """The photo as (H, W, 3) uint8 RGB, upright (EXIF), transparency laid over mid grey.

    16-bit and float pictures are scaled, not clipped. A photo longer than ``LONGEST_SIDE`` comes
    back reduced to it; ``photo_size`` tells the size of the file's own picture. Of an animation
    the first frame is taken. Colour profiles are not applied.
    """
    with _opened(path) as image:
        width, height = image.size
        image.draft(None, _reduced(width, height))  # only JPEG obeys, the rest ignore it
        image.load()
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
        upright = to_rgb(image)
        if orientation in UPRIGHT:
            upright = upright.transpose(UPRIGHT[orientation])
        photo = np.array(upright)
    _check_side(path, photo.shape[1], photo.shape[0])
    return photo


def photo_size(path) -> tuple[int, int]:
    """(width, height) in px of the file's picture when upright, before any reduction."""
    with _opened(path) as image:
        width, height = image.size
        turned = image.format != "TIFF" and image.getexif().get(ORIENTATION_TAG, 1) in (5, 6, 7, 8)
    return (height, width) if turned else (width, height)


def list_photos(folder) -> list[Path]:
    """All picture files below a folder, by suffix, sorted; hidden ones (``._photo.jpg``) not."""
    folder = Path(folder)
    if not folder.is_dir():
        reason = "is a file, a folder was wanted" if folder.exists() else "no such folder"
        raise PhotoError(folder, reason)
    found = [
        Path(root, name)
        for root, _, names in os.walk(folder)
        for name in names
        if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
    ]
    if not found:
        raise PhotoError(folder, f"holds no photos (looked for {' '.join(sorted(SUFFIXES))})")
    return sorted(found)


def to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow picture as mode RGB, at most ``LONGEST_SIDE`` long."""
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(to_8bit(np.asarray(image)))
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "1":
        image = image.convert("L")
    if max(image.size) > LONGEST_SIDE:
        image = image.resize(
            _reduced(*image.size), Image.Resampling.BOX, reducing_gap=1.0
        )  # area averages do not alias
    if image.mode in ("LA", "RGBA", "La", "RGBa"):
        image = image.convert("RGBA")
        behind = Image.new("RGBA", image.size, (BEHIND, BEHIND, BEHIND, 255))
        image = Image.alpha_composite(behind, image)
    return image.convert("RGB")


def to_8bit(grey: np.ndarray) -> np.ndarray:
    """(H, W) grey of any depth as uint8: 16 bits / 257; floats up to 1, 255 or their maximum."""
    if grey.dtype == np.uint16:
        white = 65535.0
    elif np.issubdtype(grey.dtype, np.integer):
        white = max(65535.0, float(grey.max()))
    else:
        grey = np.nan_to_num(grey, nan=0.0, posinf=0.0, neginf=0.0)
        brightest = float(grey.max())
        white = next((top for top in (1.0, 255.0) if brightest <= top), brightest)
    return np.rint(np.clip(grey / white, 0, 1) * 255).astype(np.uint8)


def _reduced(width: int, height: int) -> tuple[int, int]:
    """The size with the longest side at most ``LONGEST_SIDE``, at least 1 px each way."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


@contextmanager
def _opened(path):
    """The file as a Pillow image whose size is acceptable; every failure is a ``PhotoError``."""
    try:
        _check_file(Path(path))
        with _open_unlimited(path) as image:
            width, height = image.size
            _check_side(path, width, height)
            limit = LIMIT_REDUCED if image.format in ("JPEG", "MPO") else LIMIT_WHOLE
            if width * height > limit:
                got, most = width * height / 1e6, limit / 1e6
                raise PhotoError(
                    path,
                    f"{width} x {height} px are {got:.0f} megapixels; the limit for "
                    f"{image.format} is {most:.0f}",
                )
            yield image
    except PhotoError:
        raise
    except MemoryError as problem:
        raise PhotoError(path, "does not fit in memory") from problem
    except Exception as problem:  # decoders raise OSError, SyntaxError, struct.error, zlib.error...
        raise PhotoError(path, _reason(path, problem)) from problem


def _open_unlimited(path) -> Image.Image:
    """``Image.open`` with our limits in the place of Pillow's global one (90 megapixels)."""
    Image.init()
    known = [name for name in FORMATS if name in Image.OPEN]
    with _pillow_limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path, formats=known)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _check_file(path: Path) -> None:
    if os.path.isdir(path):
        raise PhotoError(path, "is a folder, a photo was wanted")
    if not os.path.exists(path):  # pathlib raises an error for a name that is too long
        raise PhotoError(path, "no such file")
    if path.stat().st_size == 0:
        raise PhotoError(path, "is empty (0 bytes)")


def _check_side(path, width: int, height: int) -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise PhotoError(
            path, f"is {width} x {height} px, at least {SMALLEST_SIDE} px a side are needed"
        )


def _reason(path, problem: Exception) -> str:
    """What went wrong, for a person: Pillow's own words where they help."""
    if isinstance(problem, PermissionError):
        return "may not be read (permission denied)"
    if isinstance(problem, Image.UnidentifiedImageError):
        with open(path, "rb") as file:
            begin = file.read(12)
        if begin[4:8] == b"ftyp" and begin[8:11] in (b"hei", b"hev", b"mif"):
            return "is HEIC, which cannot be read here: convert it to JPEG"
        return f"is not a picture in a known format (begins with {begin!r})"
    return f"is damaged or cut short ({problem or type(problem).__name__})"
