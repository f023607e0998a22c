"""Photos as programs have them: files, Pillow images, arrays, tensors, the bytes of a file."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from ..data.photo import PhotoError, read_photo, to_rgb
from ..errors import DataError

Photo = str | os.PathLike | bytes | Image.Image | np.ndarray | Tensor
WANTED = "(H, W, 3) or (H, W), uint8 or floats in [0, 1]; tensors (3, H, W)"


def is_one_photo(value: object) -> bool:
    """Whether a value stands for one photo, not for several: a batch of pixels is several."""
    batch = isinstance(value, (np.ndarray, Tensor)) and value.ndim > 3
    return isinstance(value, Photo) and not batch


def pixels_of(photo: Photo) -> np.ndarray:
    """(H, W, 3) uint8 RGB of any photo; transparency lies over mid grey.

    A Pillow image is turned upright by its EXIF, as files are. Arrays are RGB, not OpenCV's BGR.

    Raises:
        UserError: a file or its bytes cannot be read, or numbers are no picture.
    """
    if isinstance(photo, (str, os.PathLike)):
        return read_photo(photo)
    if isinstance(photo, bytes):
        return _from_bytes(photo)
    if isinstance(photo, Image.Image):
        return np.array(to_rgb(ImageOps.exif_transpose(photo)))
    if isinstance(photo, Tensor):
        photo = photo.detach().cpu()
        photo = (photo.permute(1, 2, 0) if photo.ndim == 3 else photo).float().numpy() * (
            1 if photo.is_floating_point() else 1 / 255
        )
    if isinstance(photo, np.ndarray):
        return _from_array(photo)
    raise DataError(f"a photo is a path, bytes, a Pillow image or numbers, not {type(photo)}")


def _from_bytes(content: bytes) -> np.ndarray:
    with TemporaryDirectory() as folder:
        path = Path(folder, "photo")
        path.write_bytes(content)
        try:
            return read_photo(path)
        except PhotoError as error:
            name = f"{len(content)} bytes"
            raise DataError(str(error).replace(f"'{path}'", f"of {name}")) from None


def _from_array(array: np.ndarray) -> np.ndarray:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not shaped or 0 in array.shape:
        raise DataError(f"a photo in numbers is {WANTED}; not {array.shape}")
    if array.dtype != np.uint8:
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise DataError(f"a photo in numbers is {WANTED}; not {array.dtype} or not finite")
        if array.min() < -1e-3 or array.max() > 1 + 1e-3:
            low, high = array.min(), array.max()
            raise DataError(f"a photo in floats lies in [0, 1], not in [{low:.3g}, {high:.3g}]")
        array = np.rint(array.clip(0, 1) * 255).astype(np.uint8)
    return array if array.ndim == 3 and array.shape[2] == 3 else np.array(to_rgb(_image(array)))


def _image(array: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(array))
