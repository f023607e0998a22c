"""Reading a photo takes no more memory than predicted, and at most 1 GB."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from measuring import apart, measured, needs_linux
from PIL import Image

from l2rkit.data.photo import MOST_BYTES, PhotoError, bytes_to_read, read_photo

SIZE = (3000, 2000)
SLACK = 60_000_000  # bytes, of decoders, of Python, and of libraries' code, which a fork maps anew
KINDS = {
    "rgb.jpg": ("RGB", "JPEG", {}),
    "progressive.jpg": ("RGB", "JPEG", dict(progressive=True, subsampling=0)),
    "cmyk.jpg": ("CMYK", "JPEG", dict(progressive=True)),
    "rgb.png": ("RGB", "PNG", {}),
    "rgba.png": ("RGBA", "PNG", {}),
    "palette.png": ("P", "PNG", {}),
    "deep.png": ("I;16", "PNG", {}),
    "rgb.webp": ("RGB", "WEBP", dict(lossless=True)),
    "rgba.webp": ("RGBA", "WEBP", dict(lossless=True)),
    "rgb.jp2": ("RGB", "JPEG2000", {}),
    "rgba.jp2": ("RGBA", "JPEG2000", {}),
    "float.tif": ("F", "TIFF", dict(compression="tiff_deflate")),
    "int.tif": ("I", "TIFF", dict(compression="tiff_deflate")),
    "rgb.avif": ("RGB", "AVIF", dict(speed=10)),
}


def written(name: str, size: tuple[int, int]) -> bytes:
    mode, kind, how = KINDS[name]
    if kind not in Image.SAVE:
        pytest.skip(f"Pillow is without {kind}")
    Image.new(mode, size).save(file := io.BytesIO(), kind, **how)
    return file.getvalue()


Image.init()


@needs_linux
@pytest.mark.parametrize("name", KINDS)
def test_reading_takes_no_more_than_it_is_said_to(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    apart(lambda: path.write_bytes(written(name, SIZE)))
    if not path.is_file():
        pytest.skip("Pillow is without that format")
    with Image.open(path) as image:
        said = bytes_to_read(image, 2 * len(image.getbands()) * SIZE[0] * SIZE[1])
    took, _ = measured(read_photo, path)
    assert SIZE[0] * SIZE[1] * 3 < took < said + SLACK


def large_webp(content: bytes) -> bytes:
    """34 bytes that are 16383 px wide and high."""
    at = content.index(b"VP8L") + 9
    bits = int.from_bytes(content[at : at + 4], "little")
    return content[:at] + (bits | 2**28 - 1).to_bytes(4, "little") + content[at + 4 :]


def large_png(content: bytes) -> bytes:
    header = b"IHDR" + struct.pack(">II", 12000, 12000) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


def large_jp2(content: bytes) -> bytes:
    sides = [struct.pack(">II", side, side) for side in (16, 12000)]
    return content.replace(*sides)


def large_jpeg(content: bytes) -> bytes:
    at = content.index(b"\xff\xc2") + 5
    return content[:at] + struct.pack(">HH", 20000, 20000) + content[at + 4 :]


@needs_linux
@pytest.mark.parametrize(
    ("name", "enlarged"),
    [
        ("rgb.webp", large_webp),
        ("deep.png", large_png),
        ("rgb.jp2", large_jp2),
        ("cmyk.jpg", large_jpeg),
        ("progressive.jpg", large_jpeg),
    ],
)
def test_large_pictures_in_few_bytes_are_refused(
    name: str, enlarged: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(enlarged(written(name, (16, 16))))
    with pytest.raises(PhotoError, match=r"need .* GB to be read"):
        read_photo(path)

    def knock() -> None:
        with pytest.raises(PhotoError):
            read_photo(path)

    took, seconds = measured(knock)
    assert took < SLACK and seconds < 10


@needs_linux
def test_the_measure_sees_what_is_taken() -> None:
    took, _ = measured(lambda: bytearray(b"x") * 300_000_000)
    assert 250_000_000 < took < MOST_BYTES


def scanned(times: int) -> bytes:
    """A progressive JPEG of 4 megapixels that has its last scan so many times more."""
    Image.new("L", (2000, 2000), 120).save(file := io.BytesIO(), "JPEG", progressive=True)
    whole = file.getvalue()
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * times + whole[-2:]


def test_a_jpeg_that_goes_over_its_picture_again_and_again_is_refused(tmp_path: Path) -> None:
    """A scan of 60 bytes takes as long as one of all pixels; 4,000 of them are 400 KB."""
    path = tmp_path / "a.jpg"
    for times, refused in ((10, False), (4000, True)):
        path.write_bytes(scanned(times))
        if refused:
            with pytest.raises(PhotoError, match=r"goes over its 4000000 px 40\d\d times"):
                read_photo(path)
        else:
            assert read_photo(path).shape == (2000, 2000, 3)


def test_a_jpeg_whose_exif_has_very_many_parts_is_refused(tmp_path: Path) -> None:
    """Pillow copies what it has of it for each part: 1,600 of 64 KB took more than a minute."""
    Image.new("RGB", (20, 20)).save(file := io.BytesIO(), "JPEG")
    whole, path = file.getvalue(), tmp_path / "a.jpg"
    part = b"\xff\xe1\xff\xffExif\0\0II*\0\x08\0\0\0" + b"\xff" * (65533 - 14)
    for parts, refused in ((3, False), (200, True)):
        path.write_bytes(whole[:2] + part * parts + whole[2:])
        if refused:
            with pytest.raises(PhotoError, match=f"has EXIF of {parts} parts, 100 at most"):
                read_photo(path)
        else:
            assert read_photo(path).shape == (20, 20, 3)
