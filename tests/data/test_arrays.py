"""Arrays and Pillow images give the right photo, or an error of one line."""

import cv2
import numpy as np
import pytest
from PIL import Image

from l2rkit.data.arrays import as_photo
from l2rkit.data.photo import PhotoError, read_photo

COLOURS = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)
COLOURS[0, 0] = 255  # white is there
GREY = np.repeat(COLOURS[..., :1], 3, axis=2)
OPAQUE = np.full((12, 20, 1), 255, np.uint8)


@pytest.mark.parametrize(
    "given",
    [
        COLOURS,
        np.asfortranarray(COLOURS),
        COLOURS.astype(np.int64),
        np.uint16(COLOURS) * 257,
        np.rint(COLOURS / 255 * 4095).astype(np.uint16),
        np.float32(COLOURS) / 255,
        np.float64(COLOURS),
        np.dstack([COLOURS, OPAQUE]),
        np.dstack([COLOURS, OPAQUE]) / 255,
        Image.fromarray(COLOURS),
        Image.fromarray(np.dstack([COLOURS, OPAQUE])),
    ],
    ids=lambda given: f"{getattr(given, 'dtype', 'picture')}-{np.shape(given)}",
)
def test_colours_of_any_depth_are_the_same(given) -> None:
    np.testing.assert_array_equal(as_photo(given), COLOURS)


@pytest.mark.parametrize("given", [GREY[..., 0], GREY[..., :1], Image.fromarray(GREY[..., 0])])
def test_grey_has_three_equal_channels(given) -> None:
    np.testing.assert_array_equal(as_photo(given), GREY)


def test_bool_is_black_and_white() -> None:
    np.testing.assert_array_equal(as_photo(GREY[..., 0] > 100), (GREY > 100) * np.uint8(255))


def test_what_is_transparent_is_mid_grey() -> None:
    assert (as_photo(np.dstack([COLOURS, 0 * OPAQUE])) == 128).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((0, 0, 3), np.uint8), "0 x 0 px, at least 8"),
        (np.zeros((7, 20), bool), "20 x 7 px"),
        (np.zeros((3, 20, 20), np.uint8), r"an array \(3, 20, 20\); expected .*"),
        (np.zeros((1, 20, 20, 3), np.uint8), r"an array \(1, 20, 20, 3\)"),
        (COLOURS / 127.5 - 1, "numbers from -1 to 1; expected 0 to 1, or 0 to 255"),
        (COLOURS.astype(int) - 1, "numbers from -1 to"),
        (np.full((9, 9, 3), np.nan), "numbers from nan"),
        (np.full((9, 9, 3), 1e6), "to 1e.06; expected 0 to 1, or 0 to 255"),
        (COLOURS.astype(object), "an array of object"),
        (COLOURS.astype(complex), "an array of complex128"),
        ([[1, 2]], "is a list; expected an array"),
        (None, "is a NoneType"),
    ],
)
def test_others_are_refused_in_one_line(given, said: str) -> None:
    with pytest.raises(PhotoError, match=said) as caught:
        as_photo(given)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["grey", "colour", "alpha"])
def test_files_of_16_bits_that_use_fewer_are_not_black(kind, bits, suffix, tmp_path) -> None:
    deep = np.rint(COLOURS / 255 * (2**bits - 1)).astype(np.uint16)
    content = {"grey": deep[..., 0], "colour": deep[..., ::-1]}
    content["alpha"] = np.dstack([deep[..., ::-1], np.full((12, 20), 65535, np.uint16)])
    cv2.imwrite(str(tmp_path / f"a{suffix}"), content[kind])
    read = read_photo(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(read, GREY if kind == "grey" else COLOURS)
