"""Restores photos of any size in bounded memory."""

from collections.abc import Callable

import torch
from torch import Tensor


@torch.no_grad()
def tiled(
    restore: Callable[[Tensor], Tensor], photo: Tensor, tile: int = 192, overlap: int = 16
) -> Tensor:
    """(B, 3, k H, k W): the photo (B, 3, H, W) restored tile by tile.

    Each tile of `tile` by `tile` pixels is restored with `overlap` more on every side, which are
    cropped afterwards. If `overlap` is its receptive field, the result equals that of the whole.
    """
    height, width = photo.shape[2:]
    rows = []
    for top in range(0, height, tile):
        row = []
        for left in range(0, width, tile):
            above, before = min(top, overlap), min(left, overlap)
            part = photo[
                ...,
                top - above : min(top + tile + overlap, height),
                left - before : min(left + tile + overlap, width),
            ]
            better = restore(part)
            k = better.shape[-1] // part.shape[-1]
            deep, wide = min(tile, height - top), min(tile, width - left)
            inner = better[..., k * above : k * (above + deep), k * before : k * (before + wide)]
            row.append(inner)
        rows.append(torch.cat(row, -1))
    return torch.cat(rows, -2)
