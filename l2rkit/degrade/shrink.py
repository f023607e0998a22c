"""Degradation at another size: resize, degrade, resize back."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError, near
from ..ops.resize import METHODS, resized, resized_image
from ..registry import DEGRADATIONS
from .combine import Compose
from .degradation import Degradation, Drawn, Range, as_range

LEAST = 8  # px; smaller faces cannot be reconstructed


@DEGRADATIONS.register_module()
class Resized(Degradation):
    """Resizes the photo by `scale`, applies the parts `inside`, and resizes it back.

    Args:
        scale: new side / old side, drawn uniformly.
        inside: parts that are applied in order at that size.
        down, up: method of the first and second resizing, or several of which one is drawn: "area",
            "bilinear", "bicubic" or "lanczos", see `l2rkit.ops.resize`.
        least: smallest shorter side in px. It bounds the range of scale before the draw, so that
            small photos do not all get this size.
    """

    def __init__(
        self,
        scale: Range,
        inside: Sequence[dict | Degradation] = (),
        down: str | Sequence[str] = "area",
        up: str | Sequence[str] = "bicubic",
        least: int = LEAST,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.scale = as_range(f"{name}: scale", scale, 1e-3)
        self.inside = Compose(inside)
        self.down, self.up = checked_methods(name, down), checked_methods(name, up)
        if least < 1:
            raise ConfigError(f"{name}: least is a number of px from 1 on, not {least}")
        self.least = least

    def draw_scale(self, rng: np.random.Generator, smallest: float) -> float:
        """New side / old side, at least `smallest`."""
        low, high = self.scale
        return rng.uniform(max(low, smallest), max(high, smallest))

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        shorter = min(height, width)
        scale = self.draw_scale(rng, min(1, self.least / shorter))
        size = int(height * scale + 0.5), int(width * scale + 0.5)
        down, up = (names[rng.integers(len(names))] for names in (self.down, self.up))
        return dict(size=size, down=down, up=up, inside=self.inside.draw(rng, *size))

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        # one by one, as sizes differ
        size = tuple(photo.shape[2:])
        done = []
        for one, d in zip(photo.split(1), drawn):
            small = resized(one, d["size"], d["down"]).clamp(0, 1)
            small = self.inside.degrade(small, [d["inside"]])
            done.append(resized(small, size, d["up"]).clamp(0, 1))
        return torch.cat(done)

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        small = resized_image(image, drawn["size"], drawn["down"]).clip(0, 1)
        small = self.inside.degrade_image(small, drawn["inside"])
        return resized_image(small, image.shape[:2], drawn["up"]).clip(0, 1)


@DEGRADATIONS.register_module()
class DownUpsample(Resized):
    """Downsamples the photo by `factor`, applies the parts `inside`, and upsamples it again.

    Args:
        factor: old side / new side, at least 1, drawn uniformly; it need not be whole.
        inside, down, up, least: see `Resized`.
    """

    def __init__(
        self,
        factor: Range,
        inside: Sequence[dict | Degradation] = (),
        down: str | Sequence[str] = "area",
        up: str | Sequence[str] = "bicubic",
        least: int = LEAST,
    ) -> None:
        low, high = as_range("DownUpsample: factor", factor, 1)
        super().__init__((1 / high, 1 / low), inside, down, up, least)
        self.factor = low, high

    def draw_scale(self, rng: np.random.Generator, smallest: float) -> float:
        low, high = self.factor
        return 1 / rng.uniform(min(low, 1 / smallest), min(high, 1 / smallest))


def checked_methods(part: str, methods: str | Sequence[str]) -> tuple[str, ...]:
    """The methods as a tuple.

    Raises:
        ConfigError: a method is unknown, or there is none.
    """
    methods = (methods,) if isinstance(methods, str) else tuple(methods)
    for method in methods:
        if method not in METHODS:
            raise ConfigError(f"{part}: no method is called '{method}'{near(method, METHODS)}")
    if not methods:
        raise ConfigError(f"{part}: expects at least one of {', '.join(METHODS)}; got none")
    return methods
