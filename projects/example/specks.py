"""Dust on photos, and its removal: a degradation and a restorer, to be copied from."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad, unfold

from l2rkit.degrade.degradation import Degradation, Drawn, Range, as_range
from l2rkit.errors import PartError
from l2rkit.registry import DEGRADATIONS, RESTORERS


@DEGRADATIONS.register_module()
class Specks(Degradation):
    """Pixels turn black or white, evenly spread: `share` of them all, drawn for each photo."""

    def __init__(self, share: Range = (0.005, 0.03)) -> None:
        super().__init__()
        self.share = as_range("Specks: share", share, 0, 1)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        """(H, W): 0 or 1 where a speck of this colour is, else NaN."""
        there = rng.random((height, width)) < rng.uniform(*self.share)
        return np.where(there, rng.integers(0, 2, (height, width)), np.nan).astype(np.float32)

    def degrade(self, photo: Tensor, drawn: Sequence[Drawn]) -> Tensor:
        specks = torch.from_numpy(np.stack(drawn))[:, None].to(photo)
        return torch.where(specks.isnan(), photo, specks)

    def degrade_image(self, image: np.ndarray, drawn: Drawn) -> np.ndarray:
        return np.where(np.isnan(drawn), image.transpose(2, 0, 1), drawn).transpose(1, 2, 0)


@RESTORERS.register_module()
class Median(nn.Module):
    """Each channel's median over `side` by `side` pixels, edges mirrored: takes lone specks away.

    Photos (B, 3, H, W) keep their size.
    """

    scale = 1

    def __init__(self, side: int = 3) -> None:
        super().__init__()
        if side < 1 or side % 2 == 0:
            raise PartError(f"Median expects an odd side of 1 or more, not {side}")
        self.side = side

    def forward(self, photo: Tensor) -> Tensor:
        margin = self.side // 2
        near = unfold(pad(photo, [margin] * 4, mode="reflect"), self.side)
        return near.unflatten(1, (3, -1)).median(2).values.view_as(photo)
