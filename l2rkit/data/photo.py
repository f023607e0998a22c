"""Reads photos of common formats as (H, W, 3) uint8 RGB; errors are one line.

Photos are upright, without transparency, and at most ``LONGEST_SIDE`` long.
"""

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from l2rkit.errors import UserError
from l2rkit.ops.threads import fork_safe_lock

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
SUFFIXES |= {".ppm", ".pgm", ".jp2", ".avif", ".jfif"}
HEIC = {".heic", ".heif"}  # need pillow-heif
# without EPS, PDF and the like, for which Pillow starts other programs
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000", "AVIF")
HEIC_WORDS = "convert to JPEG, or pip install pillow-heif"
SUFFIXES_NAMED = 6  # most suffixes in the line about skipped files
SMALLEST_SIDE = 8  # px; smaller pictures show no face
LONGEST_SIDE = 6000  # px; the width of a 24-megapixel camera's picture
MOST_BYTES = 900_000_000  # limit of memory for reading, see `bytes_to_read`
MOST_SCANNED = 1_000_000_000  # pixels of a JPEG, in all of its scans; 12 scans of 64 MP are less
MOST_EXIF = 100  # parts of a JPEG's EXIF: Pillow copies what it has for each; cameras write one
WHITES = (255, 1023, 4095, 16383, 65535)  # of 8, 10, 12, 14 and 16 bits
FLOAT_WHITES = (1.0, 255.0)
OVERSHOOT = 2.0  # floats up to here have white at 1, which resampling exceeds a little
ROWS = 64  # converted at a time
BEHIND = 128  # mid grey behind transparent pixels, against bright or dark edges around the face

ORIENTATION_TAG = 0x0112
UPRIGHT = {  # EXIF orientation -> the transposition to upright
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
    """A photo cannot be used; the one-line message names the file and the reason."""

    def __init__(self, path, reason: str):
        super().__init__(" ".join(f"photo '{path}': {reason}".split()))


def read_photo(path) -> np.ndarray:
    """The photo as (H, W, 3) uint8 RGB, upright (EXIF), transparency blended with mid grey.

    16-bit and float pictures are scaled, not clipped. A photo longer than ``LONGEST_SIDE`` is
    downsampled to it; ``photo_size`` returns the original size. Animations give their first frame.
    Colour profiles are not applied.

    Raises:
        PhotoError: the file is missing, damaged, no picture, too small, or needs too much memory.
    """
    with _opened(path) as (image, _):
        # Pillow keeps the upper 8 of 16 bits, in which 12-bit pictures are black
        deep = _is_deep(image) and len(image.getbands()) > 1
        image.load()
        deep = deep and _brightest_colour(image) < 64
        photo = np.array(turned_upright(to_rgb(_all_bits(path) if deep else image), image))
    _check_side(path, photo.shape[1], photo.shape[0])
    return photo


def left_out(path) -> list[str]:
    """What a file has and `read_photo` leaves out: further frames, bits beyond 8; in words."""
    with _opened(path) as (image, _):
        found = ["8 bits per channel, the photo has more"] if _is_deep(image) else []
        with suppress(Exception):  # as its first frame is read, later ones may be damaged
            if image.format != "MPO" and image.is_animated:  # an MPO's others are previews
                found.append("its first frame only")
    return found


def _is_deep(image: Image.Image) -> bool:
    return image.mode[0] in "IF" or any(";16" in str(tile.args) for tile in image.tile)


def read_alpha(path) -> np.ndarray | None:
    """(H, W) uint8: the alpha channel of `read_photo`'s picture; None if all pixels are opaque."""
    with _opened(path) as (image, _):
        if "transparency" not in image.info and image.getbands()[-1] not in "Aa":
            return None
        image.load()
        alpha = image.convert("RGBA").getchannel("A")
        if max(alpha.size) > LONGEST_SIDE:
            alpha = alpha.resize(_reduced(*alpha.size), Image.Resampling.BOX, reducing_gap=1.0)
        opaque = np.array(turned_upright(alpha, image))
    return None if opaque.min() == 255 else opaque


def with_alpha(picture: Image.Image, alpha: np.ndarray | None) -> Image.Image:
    """The picture with the alpha channel `alpha` (H, W), resized to it; None changes nothing."""
    if alpha is not None:
        opaque = Image.fromarray(alpha).resize(picture.size, Image.Resampling.BILINEAR)
        picture.putalpha(opaque)
    return picture


def turned_upright(picture: Image.Image, file: Image.Image) -> Image.Image:
    """The picture, upright by the EXIF orientation of its `file`."""
    orientation = file.getexif().get(ORIENTATION_TAG, 1)
    return picture.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else picture


def photo_size(path) -> tuple[int, int]:
    """(width, height) in px of the file's upright picture, before downsampling."""
    with _opened(path) as (image, (width, height)):
        turned = image.format != "TIFF" and image.getexif().get(ORIENTATION_TAG, 1) in (5, 6, 7, 8)
    return (height, width) if turned else (width, height)


def list_photos(
    folder,
    say: Callable[[str], None] | None = None,
    also: Iterable[str] = (),
    without: Iterable[Path] = (),
) -> list[Path]:
    """All picture files below a folder, by suffix, sorted, without hidden ones (``._photo.jpg``).

    Links to folders are followed; each folder is entered once, those in `without` never. `say` gets
    one line about skipped files. also: suffixes of other files that are listed as well.

    Raises:
        PhotoError: there is no such folder, or it has no photos.
    """
    folder, suffixes = Path(folder), readable() | set(also)
    if not folder.is_dir():
        reason = "is a file; expected a folder" if folder.exists() else "no such folder"
        raise PhotoError(folder, reason)
    seen = [path for path in _files_below(folder, without) if not path.name.startswith(".")]
    found = [path for path in seen if path.suffix.lower() in suffixes]
    others = Counter(path.suffix.lower() for path in seen if path.suffix.lower() not in suffixes)
    if say and others:
        say(f"{folder}: {passed_over(others)}")
    if not found:
        searched = f"looked for {' '.join(sorted(suffixes))}"
        rest = f"; {passed_over(others)}" if others else ""
        raise PhotoError(folder, f"holds no photos ({searched}{rest})")
    return sorted(found)


def passed_over(suffixes: "Counter[str]") -> str:
    """A line about skipped files: "5 files passed over: 3 .heic (...), 2 .txt"."""
    named = [
        f"{count} {suffix or 'without a suffix'}" + (f" ({HEIC_WORDS})" if suffix in HEIC else "")
        for suffix, count in suffixes.most_common(SUFFIXES_NAMED)
    ]
    rest = len(suffixes) - len(named)
    more = [f"others of {rest} kinds"] if rest else []
    total = sum(suffixes.values())
    return f"{total} file{'s' * (total > 1)} passed over: {', '.join(named + more)}"


def readable() -> set[str]:
    """The suffixes of files that can be read with the installed packages."""
    return SUFFIXES | (HEIC if find_spec("pillow_heif") else set())


def _files_below(folder: Path, without: Iterable[Path] = ()) -> Iterator[Path]:
    entered = {(place.st_dev, place.st_ino) for place in map(os.stat, without)}
    for root, folders, names in os.walk(folder, followlinks=True):
        place = os.stat(root)
        if (place.st_dev, place.st_ino) in entered:
            folders.clear()  # a cycle of links
            continue
        entered.add((place.st_dev, place.st_ino))
        folders.sort()
        yield from (Path(root, name) for name in names)


def _brightest_colour(image: Image.Image) -> int:
    bands = [band for band in image.getbands() if band != "A"]
    return max(image.getchannel(band).getextrema()[1] for band in bands)


def _all_bits(path) -> Image.Image:
    """A dark 16-bit picture, scaled by `to_8bit`."""
    read = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is None or read.ndim != 3 or read.dtype != np.uint16:
        raise PhotoError(path, "is damaged or cut short")
    colours, alpha = to_8bit(read[..., 2::-1]), np.uint8(read[..., 3:] >> 8)
    return Image.fromarray(np.concatenate([colours, alpha], 2))


def to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow picture in mode RGB, at most ``LONGEST_SIDE`` long, on mid grey."""
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(to_8bit(np.asarray(image)))
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "1":
        image = image.convert("L")
    if max(image.size) > LONGEST_SIDE:
        image = image.resize(
            _reduced(*image.size), Image.Resampling.BOX, reducing_gap=1.0
        )  # area averages avoid aliasing
    if image.mode in ("LA", "RGBA", "La", "RGBa"):
        image = image.convert("RGBA")
        behind = Image.new("RGBA", image.size, (BEHIND, BEHIND, BEHIND, 255))
        image = Image.alpha_composite(behind, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def to_8bit(deep: np.ndarray) -> np.ndarray:
    """Numbers of any bit depth as uint8; 0 is black, and white is inferred.

    White is the least of `WHITES`, for floats of `FLOAT_WHITES`, that no number exceeds, but 1 for
    floats up to `OVERSHOOT`; else the largest number. Numbers that are not finite are black.
    """
    if deep.dtype == np.uint8:
        return deep
    if deep.dtype == bool:
        return deep * np.uint8(255)
    is_float = np.issubdtype(deep.dtype, np.floating)
    brightest = max((_brightest(part) for part in _bands(deep)), default=0.0)
    whites = FLOAT_WHITES if is_float else WHITES
    white = next((top for top in whites if brightest <= top), brightest)
    if is_float and brightest <= OVERSHOOT:
        white = 1.0
    grey = np.empty(deep.shape, np.uint8)
    for part, made in zip(_bands(deep), _bands(grey)):  # a few rows at a time: floats are large
        part = np.nan_to_num(part, nan=0.0, posinf=0.0, neginf=0.0) if is_float else part
        made[...] = np.rint(np.clip(part / white, 0, 1) * 255)
    return grey


def _bands(array: np.ndarray) -> Iterator[np.ndarray]:
    """The array, `ROWS` rows at a time."""
    return (array[first : first + ROWS] for first in range(0, len(array), ROWS))


def _brightest(part: np.ndarray) -> float:
    return float(np.nanmax(part, initial=0, where=np.isfinite(part)))


def _reduced(width: int, height: int) -> tuple[int, int]:
    """The size with the longest side at most ``LONGEST_SIDE``, at least 1 px each way."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def bytes_to_read(image: Image.Image, kept: int = 0) -> int:
    """Peak memory in bytes of `read_photo` for an open file; `kept`: bytes in the decoder.

    It is that of decoding, with measured bytes per pixel, or that of the conversion to RGB.
    """
    bands, pixels = len(image.getbands()), image.width * image.height
    alpha = bands in (2, 4)
    decoders = {
        "HEIF": 17 if alpha else 13,
        "WEBP": 22 if alpha else 20,
        "AVIF": 17 if alpha else 13,
        "JPEG2000": 7 * bands,
    }
    modes = {"1": 1, "L": 1, "P": 6, "PA": 8, "I": 9, "F": 9}
    mode = 5 if image.mode.startswith("I;16") else modes.get(image.mode, 4)
    decoding = kept + pixels * decoders.get(image.format, 4)
    return max(decoding, pixels * mode + min(pixels, LONGEST_SIDE**2) * 10)


def _whole_jpeg(image: Image.Image) -> bool:
    """Whether an open file is a JPEG of several scans, whose coefficients libjpeg keeps."""
    if image.format not in ("JPEG", "MPO"):
        return False
    file, several, marker = image.fp, False, b""
    file.seek(2)
    while marker != b"\xda":
        while (marker := file.read(1)) == b"\xff":
            pass
        several |= marker in (b"\xc2", b"\xc6", b"\xca", b"\xce")  # progressive
        length = int.from_bytes(file.read(2), "big")
        if length < 2:
            return True  # damaged, or without a scan
        content = file.read(length - 2)
    return several or content[:1] != bytes([image.layers])


def _check_exif(path) -> None:
    """Refuses a JPEG whose EXIF has very many parts: 1,600 of 64 KB take more than a minute."""
    with open(path, "rb") as file:
        parts, last = 0, b""
        if file.read(2) != b"\xff\xd8":
            return
        while block := file.read(2**20):
            block = last + block
            parts += block.count(b"Exif\0\0")
            last = block[-5:]
    if parts > MOST_EXIF:
        raise PhotoError(path, f"has EXIF of {parts} parts, {MOST_EXIF} at most are read")


def _check_scans(path, image: Image.Image, pixels: int) -> None:
    """Refuses a JPEG that goes over its picture again and again: 95 bytes cost 0.2 s at 64 MP."""
    if image.format not in ("JPEG", "MPO"):
        return
    image.fp.seek(0)
    scans, last = 0, b""
    while block := image.fp.read(2**20):
        block, _, other = (last + block).partition(b"\xff\xd9\xff\xd8")  # of an MPO
        scans += block.count(b"\xff\xda")
        if other:
            break
        last = block[-1:] if block.endswith(b"\xff") else b""
    if scans * pixels > MOST_SCANNED:
        raise PhotoError(path, f"goes over its {pixels} px {scans} times, which takes too long")


@contextmanager
def _opened(path):
    """The file as a Pillow image that fits in memory, and its original size.

    Every failure is a ``PhotoError``.
    """
    try:
        _check_file(Path(path))
        _check_exif(path)
        with _open_unlimited(path) as image:
            width, height = image.size
            _check_side(path, width, height)
            kept = 2 * len(image.getbands()) * width * height if _whole_jpeg(image) else 0
            image.draft(None, _reduced(width, height))  # only JPEG supports it
            if (needed := bytes_to_read(image, kept)) > MOST_BYTES:
                raise PhotoError(
                    path,
                    f"{width} x {height} px of {image.format} ({image.mode}) need "
                    f"{needed / 1e9:.1f} GB to be read; the limit is {MOST_BYTES / 1e9:.1f}",
                )
            _check_scans(path, image, width * height)
            yield image, (width, height)
    except PhotoError:
        raise
    except MemoryError as problem:
        raise PhotoError(path, "does not fit in memory") from problem
    except Exception as problem:  # decoders raise OSError, SyntaxError, struct.error, zlib.error...
        raise PhotoError(path, _reason(path, problem)) from problem


def _open_unlimited(path) -> Image.Image:
    """``Image.open`` with our limits instead of Pillow's global one (90 megapixels)."""
    Image.init()
    if find_spec("pillow_heif"):
        import pillow_heif

        pillow_heif.register_heif_opener()
    known = [name for name in (*FORMATS, "HEIF") if name in Image.OPEN]
    with _pillow_limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path, formats=known)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _check_file(path: Path) -> None:
    if os.path.isdir(path):
        raise PhotoError(path, "is a folder; expected a photo")
    if not os.path.exists(path):  # pathlib raises for too long a name
        raise PhotoError(path, "no such file")
    if not path.is_file():
        raise PhotoError(path, "is a pipe or a device; expected a file")
    if path.stat().st_size == 0:
        raise PhotoError(path, "is empty (0 bytes)")


def _check_side(path, width: int, height: int) -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise PhotoError(
            path, f"is {width} x {height} px, at least {SMALLEST_SIDE} px a side are needed"
        )


def _reason(path, problem: Exception) -> str:
    """The reason of a failure in words, with Pillow's message if it helps."""
    if isinstance(problem, PermissionError):
        return "may not be read (permission denied)"
    if isinstance(problem, Image.UnidentifiedImageError):
        with open(path, "rb") as file:
            begin = file.read(12)
        if begin[4:8] == b"ftyp" and begin[8:11] in (b"hei", b"hev", b"mif"):
            return f"is HEIC, which cannot be read here: {HEIC_WORDS}"
        return f"is not a picture in a known format (begins with {begin!r})"
    return f"is damaged or cut short ({problem or type(problem).__name__})"
