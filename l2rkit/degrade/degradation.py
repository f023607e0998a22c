"""The common part of degradations: NumPy draws parameters per photo, torch or OpenCV applies them.

A draw holds all random numbers, including noise fields. So the torch and the OpenCV implementation
can be compared number by number, and evaluation photos are the same on every device.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ConfigError

Drawn = Any  # one part's draw for one photo: None, or numbers and arrays in a dict or a list
Range = float | tuple[float, float]  # a fixed number, or the bounds of a uniform distribution


class Degradation(nn.Module, ABC):
    """A random degradation of photos; subclasses define `draw`, `degrade` and `degrade_image`."""

    def forward(self, photo: Tensor, generator: torch.Generator) -> Tensor:
        """(B, 3, H, W) in [0, 1]: each photo degraded by its own draw.

        `generator` gives one 62-bit seed per photo, for the NumPy generator of its draw. So equal
        generators give equal draws on all devices.

        Raises:
            ValueError: photo is not a float tensor (B, 3, H, W).
        """
        if photo.dim() != 4 or photo.shape[1] != 3 or not photo.is_floating_point():
            got = f"{tuple(photo.shape)} {photo.dtype}"
            raise ValueError(
                f"{type(self).__name__} expects a photo (B, 3, H, W) of floats, not {got}"
            )
        numbers = torch.randint(
            2**62, (len(photo),), generator=generator, device=generator.device
        ).tolist()
        drawn = [self.draw(rng_of(number), *photo.shape[2:]) for number in numbers]
        return self.degrade(photo, drawn) if drawn else photo

    def on_image(self, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(H, W, 3) float32 RGB in [0, 1]: one image degraded by OpenCV.

        Raises:
            ValueError: image is not a float32 array (H, W, 3).
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.float32:
            got = f"{image.shape} {image.dtype}"
            raise ValueError(f"{type(self).__name__} expects an image (H, W, 3) float32, not {got}")
        return self.degrade_image(image, self.draw(rng, *image.shape[:2]))

    def draw(self, rng: np.random.Generator, height: int, width: int) -> Drawn:
        """The random parameters for one photo of this size; None if there are none."""
        return None

    @abstractmethod
    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        """(B, 3, H, W) in [0, 1]: photo i degraded by `drawn[i]`, on the photo's device."""

    @abstractmethod
    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        """(H, W, 3) float32 in [0, 1]: the same by OpenCV."""


def rng_of(number: int | Sequence[int]) -> np.random.Generator:
    """The NumPy generator with this seed."""
    return np.random.Generator(np.random.PCG64(number))


def as_range(
    what: str, value: Range, least: float = -np.inf, most: float = np.inf
) -> tuple[float, float]:
    """(low, high) of a number or a pair within least..most; `what` is its name in the error.

    Raises:
        ConfigError: the value is neither, or not within the bounds.
    """
    one = np.isscalar(value) or not isinstance(value, Iterable)
    pair = (value, value) if one else tuple(value)
    numbers = all(isinstance(v, int | float | np.number) for v in pair)
    if len(pair) != 2 or not numbers or not least <= pair[0] <= pair[1] <= most:
        within = f"within {least:g}..{most:g}"
        raise ConfigError(f"{what} is a number or a (low, high) {within}, not {value!r}")
    return pair


def per_photo(values: Sequence, photo: Tensor) -> Tensor:
    """(B, K, 1, 1): one or K numbers per photo, with the photo's dtype and device."""
    rows = torch.as_tensor(np.asarray(values, np.float64), dtype=photo.dtype, device=photo.device)
    return rows.reshape(len(photo), -1, 1, 1)
