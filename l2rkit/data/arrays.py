"""Photos from arrays and Pillow images."""

import numpy as np
from PIL import Image

from .photo import SMALLEST_SIDE, PhotoError, to_8bit, to_rgb

KINDS = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"


def as_photo(picture: "np.ndarray | Image.Image") -> np.ndarray:
    """The picture as (H, W, 3) uint8 RGB, transparency blended with mid grey.

    picture: a Pillow image or an array, grey, RGB or RGBA, channels last. Arrays have bools,
    integers from 0 to 65535, or floats from 0 to 1 or to 255; `to_8bit` infers the value of white.

    Raises:
        PhotoError: it is no such picture, or smaller than `SMALLEST_SIDE`.
    """
    if isinstance(picture, Image.Image):
        pixels = np.array(to_rgb(picture))
    elif isinstance(picture, np.ndarray):
        pixels = _of_array(picture)
    else:
        raise _refused(f"a {type(picture).__name__}; expected an array or a Pillow image")
    if min(pixels.shape[:2]) < SMALLEST_SIDE:
        height, width = pixels.shape[:2]
        raise _refused(f"{width} x {height} px, at least {SMALLEST_SIDE} px a side are needed")
    return pixels


def _of_array(array: np.ndarray) -> np.ndarray:
    if isinstance(array, np.ma.MaskedArray):
        raise _refused("a masked array; fill what is masked")
    array = np.asarray(array)  # a matrix, which stays flat whatever is done to it, ends the process
    shape = array.shape
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] not in (1, 3, 4)):
        raise _refused(f"an array {shape}; expected {KINDS}")
    if array.dtype.kind not in "buif":
        raise _refused(f"an array of {array.dtype}; expected numbers")
    if array.size and array.dtype != np.uint8:
        _check_range(array)
    if array.ndim == 2:
        array = array[..., None]
    colours = to_8bit(array[..., :3])
    colours = np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours
    if array.shape[2] == 4 and array.size:
        both = np.dstack([colours, to_8bit(array[..., 3:])])
        return np.array(to_rgb(Image.fromarray(both)))
    return np.ascontiguousarray(colours)


def _check_range(array: np.ndarray) -> None:
    least, most = float(array.min()), float(array.max())
    limit = 255 if array.dtype.kind == "f" else 65535
    if not (least >= 0 and most <= limit):  # also false for NaN
        expected = "0 to 1, or 0 to 255" if limit == 255 else f"0 to {limit}"
        raise _refused(f"numbers from {least:g} to {most:g}; expected {expected}")


def _refused(what: str) -> PhotoError:
    return PhotoError("array", f"is {what}")
