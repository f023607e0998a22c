"""A picture of samples of a data set."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from .panel import TILE
from .sheet import sheet


def chosen(length: int, count: int, seed: int) -> list[int]:
    """At most `count` different random numbers below `length`, ascending."""
    drawn = np.random.default_rng(seed).choice(length, min(count, length), replace=False)
    return sorted(drawn.tolist())


def samples_sheet(samples: Sequence[dict[str, Tensor]], columns: int = 4) -> Image.Image:
    """The `photo` of each sample and, if any sample has one, the `clean` photo on its right.

    Photos are (3, H, W) in [0, 1], or (N, 3, H, W) of photo sets, which are all shown.
    """
    aimed = any("clean" in sample for sample in samples)
    names = ("photo", "clean") if aimed else ("photo",)
    tiles = [_tiles(sample.get(name, sample["photo"])) for sample in samples for name in names]
    if aimed:
        tiles = [t for a, b in zip(tiles[::2], tiles[1::2]) for pair in zip(a, b) for t in pair]
    else:
        tiles = [tile for several in tiles for tile in several]
    return sheet(torch.stack(list(tiles)), columns * len(names))


def _tiles(photo: Tensor) -> Tensor:
    """(N, 3, TILE, TILE) of (3, H, W) or (N, 3, H, W), by nearest neighbours."""
    return interpolate(photo.reshape(-1, *photo.shape[-3:]).float(), (TILE, TILE), mode="nearest")
