"""Degradations of colour: shift, jitter, greyscale, faded prints."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from ..registry import DEGRADATIONS
from .degradation import Degradation, Drawn, Range, as_range, per_photo

LUMA = (0.299, 0.587, 0.114)  # of red, green, blue (ITU-R BT.601)
SEPIA = (1.0, 0.86, 0.66)  # colour of white on a yellowed print


def luma(photo: Tensor) -> Tensor:
    """(B, 1, H, W): the luma of a photo (B, 3, H, W)."""
    return (photo * photo.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def luma_of_image(image: np.ndarray) -> np.ndarray:
    """(H, W, 1): the luma of an image (H, W, 3)."""
    return (image * np.float32(LUMA)).sum(2, keepdims=True)


@DEGRADATIONS.register_module()
class ColourShift(Degradation):
    """Adds a random number of -levels..levels to each channel, in units of 1/255.

    GFPGAN's colour jitter (gfpgan/data/ffhq_degradation_dataset.py), there with 20 levels.
    """

    def __init__(self, levels: float = 20) -> None:
        super().__init__()
        self.levels, _ = as_range("ColourShift: levels", levels, 0, 255)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        return dict(shift=(rng.uniform(-self.levels, self.levels, 3) / 255).tolist())

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        return (photo + per_photo([d["shift"] for d in drawn], photo)).clamp(0, 1)

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        return (image + np.float32(drawn["shift"])).clip(0, 1)


@DEGRADATIONS.register_module()
class ColourJitter(Degradation):
    """Multiplies brightness, contrast and saturation, in this order, by random factors.

    Contrast is the difference from the photo's mean luma, saturation that from the pixel's luma. A
    factor of 1 changes nothing.
    """

    def __init__(
        self,
        brightness: Range = (0.7, 1.3),
        contrast: Range = (0.7, 1.3),
        saturation: Range = (0.7, 1.3),
    ) -> None:
        super().__init__()
        given = dict(brightness=brightness, contrast=contrast, saturation=saturation)
        self.factors = {k: as_range(f"ColourJitter: {k}", v, 0) for k, v in given.items()}

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        return {name: rng.uniform(*factor) for name, factor in self.factors.items()}

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        brightness, contrast, saturation = (
            per_photo([d[name] for d in drawn], photo) for name in self.factors
        )
        photo = (photo * brightness).clamp(0, 1)
        mean = luma(photo).mean((2, 3), keepdim=True)
        photo = (mean + contrast * (photo - mean)).clamp(0, 1)
        grey = luma(photo)
        return (grey + saturation * (photo - grey)).clamp(0, 1)

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        brightness, contrast, saturation = (np.float32(drawn[name]) for name in self.factors)
        image = (image * brightness).clip(0, 1)
        mean = luma_of_image(image).mean()
        image = (mean + contrast * (image - mean)).clip(0, 1)
        grey = luma_of_image(image)
        return (grey + saturation * (image - grey)).clip(0, 1)


@DEGRADATIONS.register_module()
class Greyscale(Degradation):
    """Replaces all three channels by the luma."""

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        return luma(photo).expand_as(photo).clamp(0, 1)

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        return luma_of_image(image).repeat(3, 2).clip(0, 1)


@DEGRADATIONS.register_module()
class Faded(Degradation):
    """A faded print: colours blended with sepia, black and white moved towards grey. Ours.

    Args:
        sepia: weight of sepia, in 0..1.
        black: new value of black, in 0..1.
        white: new value of white, in 0..1.
    """

    def __init__(
        self,
        sepia: Range = (0.0, 1.0),
        black: Range = (0.05, 0.25),
        white: Range = (0.7, 0.95),
    ) -> None:
        super().__init__()
        given = dict(sepia=sepia, black=black, white=white)
        self.ranges = {k: as_range(f"Faded: {k}", v, 0, 1) for k, v in given.items()}

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        return {name: rng.uniform(*within) for name, within in self.ranges.items()}

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        sepia, black, white = (per_photo([d[name] for d in drawn], photo) for name in self.ranges)
        turned = luma(photo) * photo.new_tensor(SEPIA)[:, None, None]
        photo = photo + sepia * (turned - photo)
        return (black + (white - black) * photo).clamp(0, 1)

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        sepia, black, white = (np.float32(drawn[name]) for name in self.ranges)
        image = image + sepia * (luma_of_image(image) * np.float32(SEPIA) - image)
        return (black + (white - black) * image).clip(0, 1)
