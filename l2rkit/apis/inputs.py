"""Reads photos given as files, bytes, Pillow images, arrays or tensors."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from ..data.arrays import as_photo
from ..data.photo import PhotoError, read_photo
from ..errors import DataError
from ..io.tensors import strange

if TYPE_CHECKING:
    from typing_extensions import TypeIs

Photo: TypeAlias = str | os.PathLike | bytes | Image.Image | np.ndarray | Tensor


def is_one_photo(value: object) -> "TypeIs[Photo]":
    """Whether a value is one photo; lists and batches of pixels are several."""
    batch = isinstance(value, (np.ndarray, Tensor)) and value.ndim > 3
    return isinstance(value, Photo) and not batch


def pixels_of(photo: Photo) -> np.ndarray:
    """(H, W, 3) uint8 RGB of any photo; transparent pixels are blended with mid grey.

    A Pillow image is turned upright by its EXIF, as files are. Arrays are RGB, not OpenCV's BGR.

    Raises:
        UserError: a file or its bytes cannot be read, or an array is no picture.
    """
    if isinstance(photo, (str, os.PathLike)):
        return read_photo(photo)
    if isinstance(photo, bytes):
        return _from_bytes(photo)
    if isinstance(photo, Image.Image):
        return as_photo(ImageOps.exif_transpose(photo))
    if isinstance(photo, Tensor):
        photo = _plain_numbers(photo)
        photo = (photo.permute(1, 2, 0) if photo.ndim == 3 else photo).numpy()
    if isinstance(photo, np.ndarray):
        return as_photo(photo)
    raise DataError(f"a photo is a path, bytes, a Pillow image or numbers, not {type(photo)}")


def _plain_numbers(photo: Tensor) -> Tensor:
    """The tensor as NumPy can take it: on the CPU, in a kind of numbers that it has."""
    if kind := strange(photo):
        raise DataError(f"a photo is a tensor of plain numbers, this one is {kind}")
    photo = photo.detach().cpu()
    return photo.float() if photo.is_floating_point() else photo


def _from_bytes(content: bytes) -> np.ndarray:
    with TemporaryDirectory() as folder:
        path = Path(folder, "photo")
        path.write_bytes(content)
        try:
            return read_photo(path)
        except PhotoError as error:
            name = f"{len(content)} bytes"
            raise DataError(str(error).replace(f"'{path}'", f"of {name}")) from None
