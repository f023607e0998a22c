"""Combinations of degradations: in order, in random order, with a probability, one of several."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..registry import DEGRADATIONS
from .degradation import Degradation, Drawn, as_range


def built(what: str, parts: Sequence[dict | Degradation]) -> nn.ModuleList:
    """The built parts; `what` is their name in errors.

    Raises:
        ConfigError: the parts are not a list, or one is not a `Degradation`.
    """
    if isinstance(parts, dict | nn.Module):
        raise ConfigError(f"{what} expects a list of parts, not one {type(parts).__name__}")
    parts = [DEGRADATIONS.build(part) for part in parts]
    for part in parts:
        if not isinstance(part, Degradation):
            raise ConfigError(f"{what} expects degradations, not a {type(part).__name__}")
    return nn.ModuleList(parts)


@DEGRADATIONS.register_module()
class Compose(Degradation):
    """Applies the parts in order. Two `Compose` in one are a second-order degradation."""

    def __init__(self, parts: Sequence[dict | Degradation]) -> None:
        super().__init__()
        self.parts = built(type(self).__name__, parts)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> list[Drawn]:
        return [part.draw(rng, height, width) for part in self.parts]

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        for part, of_part in zip(self.parts, zip(*drawn)):
            photo = part.degrade(photo, of_part)
        return photo

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        for part, of_part in zip(self.parts, drawn):
            image = part.degrade_image(image, of_part)
        return image


@DEGRADATIONS.register_module()
class RandomOrder(Degradation):
    """Applies all parts in an order that is drawn for each photo."""

    def __init__(self, parts: Sequence[dict | Degradation]) -> None:
        super().__init__()
        self.parts = built("RandomOrder", parts)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        order = rng.permutation(len(self.parts)).tolist()
        return dict(order=order, parts=[part.draw(rng, height, width) for part in self.parts])

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        for turn in range(len(self.parts)):
            now = [d["order"][turn] for d in drawn]
            for number in sorted(set(now)):
                which = [i for i, other in enumerate(now) if other == number]
                of_part = [drawn[i]["parts"][number] for i in which]
                photo = degraded_some(self.parts[number], photo, which, of_part)
        return photo

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        for number in drawn["order"]:
            image = self.parts[number].degrade_image(image, drawn["parts"][number])
        return image


@DEGRADATIONS.register_module()
class RandomChoice(Degradation):
    """Applies one part, drawn for each photo with probabilities like `weights` (default: equal)."""

    def __init__(
        self, parts: Sequence[dict | Degradation], weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.parts = built("RandomChoice", parts)
        if not len(self.parts):
            raise ConfigError("RandomChoice expects at least one part, got none")
        weights = [1] * len(self.parts) if weights is None else list(weights)
        if len(weights) != len(self.parts) or min(weights) < 0 or not sum(weights) > 0:
            expected = f"{len(self.parts)} weights from 0 on, not all 0"
            raise ConfigError(f"RandomChoice expects {expected}; got {weights}")
        self.upto = np.cumsum(weights) / sum(weights)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> dict:
        number = int(np.searchsorted(self.upto, rng.random(), side="right"))
        return dict(number=number, part=self.parts[number].draw(rng, height, width))

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        now = [d["number"] for d in drawn]
        for number in sorted(set(now)):
            which = [i for i, other in enumerate(now) if other == number]
            of_part = [drawn[i]["part"] for i in which]
            photo = degraded_some(self.parts[number], photo, which, of_part)
        return photo

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        return self.parts[drawn["number"]].degrade_image(image, drawn["part"])


@DEGRADATIONS.register_module()
class RandomApply(Degradation):
    """Applies the part to each photo with this probability."""

    def __init__(self, probability: float, part: dict | Degradation) -> None:
        super().__init__()
        self.probability, _ = as_range("RandomApply: probability", probability, 0, 1)
        (self.part,) = built("RandomApply", [part])

    def draw(self, rng: np.random.Generator, height: int, width: int) -> list[Drawn]:
        """A list with the part's draw, or an empty list if it is not applied."""
        if rng.random() >= self.probability:
            return []
        return [self.part.draw(rng, height, width)]

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        which = [i for i, d in enumerate(drawn) if d]
        if not which:
            return photo
        return degraded_some(self.part, photo, which, [drawn[i][0] for i in which])

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        return self.part.degrade_image(image, drawn[0]) if drawn else image


def degraded_some(
    part: Degradation, photo: Tensor, which: Sequence[int], drawn: Sequence[Drawn]
) -> Tensor:
    """(B, 3, H, W): the batch, with only the photos of the indices `which` degraded."""
    index = torch.tensor(which, device=photo.device)
    return photo.index_copy(0, index, part.degrade(photo[index], drawn))
