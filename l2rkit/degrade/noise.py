"""Sensor noise, in colour or grey."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..registry import DEGRADATIONS
from .colour import luma, luma_of_image
from .degradation import Degradation, Drawn, Range, as_range, per_photo

WHITE = 255  # grey levels, and photons of shot noise at scale 1
DARKEST = 1e-6  # least brightness for shot noise: the root's gradient at 0 is infinite


class Noise(Degradation):
    """Adds a normal field of unit variance, times a random amount; subclasses scale it."""

    def __init__(self, name: str, amount: Range, grey: float) -> None:
        super().__init__()
        self.amount = as_range(f"{type(self).__name__}: {name}", amount, 0)
        self.grey, _ = as_range(f"{type(self).__name__}: grey", grey, 0, 1)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        """`amount`, and `field` (H, W, 3), or (H, W, 1) if the noise is grey."""
        amount, channels = rng.uniform(*self.amount), 1 if rng.random() < self.grey else 3
        field = rng.standard_normal((height, width, channels), np.float32)
        return dict(amount=amount, field=field)


@DEGRADATIONS.register_module()
class GaussianNoise(Noise):
    """Additive noise of the same standard deviation everywhere.

    Args:
        levels: standard deviation in units of 1/255.
        grey: probability that a photo's noise is the same in all three channels.
    """

    def __init__(self, levels: Range = (0, 15), grey: float = 0.0) -> None:
        super().__init__("levels", levels, grey)

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        amount = per_photo([d["amount"] / WHITE for d in drawn], photo)
        return (photo + amount * fields(drawn, photo)).clamp(0, 1)

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        return (image + np.float32(drawn["amount"] / WHITE) * drawn["field"]).clip(0, 1)


@DEGRADATIONS.register_module()
class PoissonNoise(Noise):
    """Shot noise of variance `scale`² brightness / 255.

    At scale 1 it is the noise of 255 photons per white pixel, as in Real-ESRGAN for a photo that
    uses all grey levels. A normal distribution replaces Poisson's, which it resembles from about 20
    photons on: so the noise is differentiable and the same on all devices.

    Args:
        scale: factor of the standard deviation.
        grey: probability that a photo's noise is that of its luma, the same in all channels.
    """

    def __init__(self, scale: Range = (0.05, 3.0), grey: float = 0.0) -> None:
        super().__init__("scale", scale, grey)

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        amount = per_photo([d["amount"] / WHITE**0.5 for d in drawn], photo)
        grey = per_photo([d["field"].shape[2] == 1 for d in drawn], photo) > 0
        brightness = torch.where(grey, luma(photo), photo).clamp_min(DARKEST)
        return (photo + amount * brightness.sqrt() * fields(drawn, photo)).clamp(0, 1)

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        field, amount = drawn["field"], np.float32(drawn["amount"] / WHITE**0.5)
        brightness = luma_of_image(image) if field.shape[2] == 1 else image
        return (image + amount * np.sqrt(brightness.clip(DARKEST)) * field).clip(0, 1)


def fields(drawn: Sequence[Drawn], photo: Tensor) -> Tensor:
    """(B, 3, H, W): the drawn fields, with the photo's dtype and device."""
    wide = np.stack([np.broadcast_to(d["field"], (*d["field"].shape[:2], 3)) for d in drawn])
    return torch.as_tensor(wide, dtype=photo.dtype, device=photo.device).movedim(3, 1)
