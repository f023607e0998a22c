"""Blur by a kernel: Gaussian, generalized Gaussian, plateau, motion, sinc."""

import math
from abc import abstractmethod
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from ..errors import ConfigError
from ..registry import DEGRADATIONS
from . import kernels
from .degradation import Degradation, Drawn, Range, as_range


class Blur(Degradation):
    """Filters with the kernel (k, k), k odd, that `kernel` returns. Edges are reflected."""

    @abstractmethod
    def kernel(self, drawn: Drawn) -> np.ndarray:
        """(k, k): the kernel with the drawn parameters."""

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        return blurred(photo, [self.kernel(d) for d in drawn]).clamp(0, 1)

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        kernel = self.kernel(drawn)
        return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101).clip(0, 1)


@DEGRADATIONS.register_module()
class GaussianBlur(Blur):
    """Gaussian blur with a standard deviation of `sigma` px.

    Args:
        sigma: standard deviation; 0 does not blur.
        anisotropic: draws two standard deviations, along and across a uniformly drawn angle.
        side: kernel size in px, odd; None reaches four sigma to each side. A small kernel is
            truncated and blurs less than sigma says.
        for_height: height in px of the photos for which sigma and side are given; both scale with
            the photo. None: they are px of any photo.
    """

    def __init__(
        self,
        sigma: Range = (0.2, 3.0),
        anisotropic: bool = False,
        side: int | None = None,
        for_height: int | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if side is not None and (side < 1 or side % 2 == 0):
            raise ConfigError(f"{name}: side is an odd number of px, not {side}")
        self.sigma = as_range(f"{name}: sigma", sigma, 0)
        self.anisotropic, self.side = anisotropic, side
        self.for_height = checked_height(name, for_height)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        scale = height / (self.for_height or height)
        first, second = scale * rng.uniform(*self.sigma, 2)
        angle = rng.uniform(0, math.pi)
        if not self.anisotropic:
            second = first
        if self.side is None:
            radius = math.ceil(4 * max(first, second))
        else:
            radius = max(min(1, self.side // 2), math.floor(self.side // 2 * scale + 0.5))
        return dict(sigma=(float(first), float(second)), angle=angle, radius=radius)

    def kernel(self, drawn: dict) -> np.ndarray:
        return kernels.gaussian(**drawn)


class BellBlur(GaussianBlur):
    """A bell-shaped kernel `bell(sigma, angle, radius, beta)` with the shape parameter `beta`.

    Half of the draws of beta are below 1 and half above, within its range, as in Real-ESRGAN
    (basicsr/data/degradations.py). The other arguments are `GaussianBlur`'s. The kernel needs a
    side, as its tails are long.
    """

    bell = staticmethod(kernels.gaussian)

    def __init__(
        self,
        sigma: Range = (0.2, 3.0),
        beta: Range = 1.0,
        anisotropic: bool = False,
        side: int = 21,
        for_height: int | None = None,
    ) -> None:
        super().__init__(sigma, anisotropic, side, for_height)
        self.beta = as_range(f"{type(self).__name__}: beta", beta, 0.01)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        low, high = self.beta
        middle = min(max(1, low), high)
        beta = rng.uniform(low, middle) if rng.random() < 0.5 else rng.uniform(middle, high)
        return dict(super().draw(rng, height, width), beta=beta)

    def kernel(self, drawn: dict) -> np.ndarray:
        return self.bell(**drawn)


@DEGRADATIONS.register_module()
class GeneralisedGaussianBlur(BellBlur):
    """exp(-d^(2 beta)/2): pointed for beta < 1, flat-topped above; see `BellBlur`."""

    bell = staticmethod(kernels.generalised_gaussian)


@DEGRADATIONS.register_module()
class PlateauBlur(BellBlur):
    """1 / (1 + d^(2 beta)): a flat middle and long tails; see `BellBlur`."""

    bell = staticmethod(kernels.plateau)


@DEGRADATIONS.register_module()
class MotionBlur(Blur):
    """Motion blur: the camera moves `length` px along a straight line at constant speed.

    Args:
        length: of the line in px; 0 does not blur.
        angle_deg: from x (right) towards y (down).
        for_height: see `GaussianBlur`.
    """

    def __init__(
        self,
        length: Range = (0, 15),
        angle_deg: Range = (0, 180),
        for_height: int | None = None,
    ) -> None:
        super().__init__()
        self.length = as_range("MotionBlur: length", length, 0)
        self.angle_deg = as_range("MotionBlur: angle_deg", angle_deg)
        self.for_height = checked_height("MotionBlur", for_height)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        scale = height / (self.for_height or height)
        length = scale * rng.uniform(*self.length)
        return dict(length=length, angle=math.radians(rng.uniform(*self.angle_deg)))

    def kernel(self, drawn: dict) -> np.ndarray:
        return kernels.motion(**drawn)


@DEGRADATIONS.register_module()
class SincBlur(Blur):
    """An ideal low-pass, which rings at edges as sharpening and resizing do.

    Args:
        cutoff: cut-off frequency / Nyquist frequency, 0 < cutoff <= 1.
        side: kernel size in px, drawn from the odd numbers of the range.
    """

    def __init__(self, cutoff: Range = (1 / 3, 1.0), side: Range = (7, 21)) -> None:
        super().__init__()
        self.cutoff = as_range("SincBlur: cutoff", cutoff, 1e-3, 1)
        low, high = as_range("SincBlur: side", side, 3)
        if low % 2 != 1 or high % 2 != 1:
            raise ConfigError(f"SincBlur: side is odd, or from odd to odd, not {side!r}")
        self.radius = int(low) // 2, int(high) // 2

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        radius = int(rng.integers(self.radius[0], self.radius[1] + 1))
        return dict(cutoff=rng.uniform(*self.cutoff), radius=radius)

    def kernel(self, drawn: dict) -> np.ndarray:
        return kernels.circular_sinc(**drawn)


def blurred(photo: Tensor, by: Sequence[np.ndarray]) -> Tensor:
    """(B, 3, H, W): photo i correlated with kernel `by[i]`; edges are reflected."""
    batch, channels, height, width = photo.shape
    radius = max(len(kernel) for kernel in by) // 2
    padded = [np.pad(kernel, radius - len(kernel) // 2) for kernel in by]
    weight = torch.as_tensor(np.stack(padded), dtype=photo.dtype, device=photo.device)
    rows, cols = (
        torch.as_tensor(reflected(side, radius), device=photo.device) for side in (height, width)
    )
    wide = photo[:, :, rows[:, None], cols].flatten(0, 1)[None]
    weight = weight.repeat_interleave(channels, 0)[:, None]
    return conv2d(wide, weight, groups=batch * channels).view_as(photo)


def reflected(side: int, radius: int) -> np.ndarray:
    """(side + 2 radius,): indices of a line of `side` pixels, padded by reflection."""
    if side == 1:
        return np.zeros(1 + 2 * radius, int)
    there = np.arange(-radius, side + radius) % (2 * side - 2)
    return np.minimum(there, 2 * side - 2 - there)


def checked_height(part: str, for_height: int | None) -> int | None:
    """`for_height`, if it is None or at least 1; else a `ConfigError`."""
    if for_height is not None and for_height < 1:
        raise ConfigError(f"{part}: for_height is a number of px or None, not {for_height}")
    return for_height
