"""Resizing, by a matrix of weights along each axis. There are two pixel conventions.

`resized` is OpenCV's resizing in torch, for photos: it keeps the outer edges of the picture, so
pixel centres are at halves. "area" averages the covered pixels, weighted by the covered share. The
other methods use 2, 4 or 8 neighbours at any factor, without antialiasing, as in the published
degradation recipes.

`aligned` is for the maps of a face, and for photos that a model compares with them: it keeps the
outermost pixel centres, as the camera of `l2rkit.structures` does. Both replicate the edges.
"""

from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ..errors import PartError

METHODS = {
    "area": cv2.INTER_AREA,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
REACH = {"bilinear": 1, "bicubic": 2, "lanczos": 4}  # pixels to each side
STEEPNESS = -0.75  # slope of the bicubic kernel at distance 1, as in OpenCV


def resized(photo: Tensor, size: tuple[int, int], method: str) -> Tensor:
    """(B, C, *size): the photo (B, C, H, W) resized by one of `METHODS`. Overshoot is not clamped.

    Autocast is off inside: half precision is too coarse for the colours of a photo.
    """
    if tuple(photo.shape[2:]) == tuple(size):
        return photo
    method = usable(method, tuple(photo.shape[2:]), size)
    shares = (weights(old, new, method) for old, new in zip(photo.shape[2:], size))
    down, across = (
        torch.as_tensor(share, dtype=photo.dtype).to(photo.device, non_blocking=True)
        for share in shares
    )
    with torch.autocast(photo.device.type, enabled=False):
        return down @ photo @ across.T


def resized_image(image: np.ndarray, size: tuple[int, int], method: str) -> np.ndarray:
    """(*size, C): the image (H, W, C) resized by OpenCV."""
    method = usable(method, image.shape[:2], size)
    return cv2.resize(image, size[::-1], interpolation=METHODS[method])


def aligned(maps: Tensor, size: int) -> Tensor:
    """(B, C, size, size): maps (B, C, S, S) resized with their outermost pixel centres kept.

    The camera of `l2rkit.structures` then sees the same surface, as its field of view ends at these
    centres. Shrinking averages over the width of a new pixel.

    Raises:
        PartError: the maps are not square.
    """
    down, old = maps.shape[-2:]
    if down != old:
        raise PartError(f"faces and their photos are square, not {down} x {old} px")
    if old == size:
        return maps
    if size > old:
        return interpolate(maps, size=(size, size), mode="bilinear", align_corners=True)
    line = torch.as_tensor(aligned_weights(old, size), dtype=maps.dtype)
    line = line.to(maps.device, non_blocking=True)
    with torch.autocast(maps.device.type, enabled=False):
        return line @ maps @ line.T


def usable(method: str, old: tuple[int, int], new: tuple[int, int]) -> str:
    """The method, but "bilinear" in place of "area" where a side is enlarged."""
    enlarged = new[0] > old[0] or new[1] > old[1]
    return "bilinear" if method == "area" and enlarged else method


@lru_cache(maxsize=128)
def weights(old: int, new: int, method: str) -> np.ndarray:
    """(new, old) float64: the weight of each old pixel of a line in each new one; rows sum to 1."""
    step = old / new
    if method == "area":
        start = np.arange(new)[:, None] * step
        pixel = np.arange(old)
        overlap = np.minimum(pixel + 1, start + step) - np.maximum(pixel, start)
        return overlap.clip(0) / step
    centre = (np.arange(new) + 0.5) * step - 0.5
    reach = REACH[method]
    pixel = np.floor(centre).astype(int)[:, None] + np.arange(1 - reach, reach + 1)
    share = influence(centre[:, None] - pixel, method)
    matrix = np.zeros((new, old))
    np.add.at(matrix, (np.arange(new)[:, None], pixel.clip(0, old - 1)), share)
    return matrix / matrix.sum(1, keepdims=True)


@lru_cache(maxsize=32)
def aligned_weights(old: int, new: int) -> np.ndarray:
    """(new, old) float64: weights of the old pixels of a line in each of fewer new ones.

    A weight is the covered share of the old pixel; rows sum to 1.
    """
    step = (old - 1) / max(new - 1, 1)
    middle = np.arange(new)[:, None] * step if new > 1 else np.array([[(old - 1) / 2]])
    pixel = np.arange(-old, 2 * old)
    low, high = middle - step / 2, middle + step / 2
    part = (np.minimum(pixel + 0.5, high) - np.maximum(pixel - 0.5, low)).clip(0)
    line = np.zeros((new, old))
    np.add.at(line.T, pixel.clip(0, old - 1), part.T)
    return line / line.sum(1, keepdims=True)


def influence(distance: np.ndarray, method: str) -> np.ndarray:
    """The weight of a pixel at a distance in px."""
    d = np.abs(distance)
    if method == "bilinear":
        return (1 - d).clip(0)
    if method == "lanczos":
        return np.sinc(d) * np.sinc(d / 4) * (d < 4)
    a = STEEPNESS
    near = ((a + 2) * d - (a + 3)) * d**2 + 1
    far = a * (((d - 5) * d + 8) * d - 4)
    return np.where(d < 1, near, np.where(d < 2, far, 0))
