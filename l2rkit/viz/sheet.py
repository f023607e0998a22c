"""Sheets of pictures: generated faces, and the photos most similar to them."""

from collections.abc import Iterable

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from .mesh import to_bytes

CELLS = 4  # features are averaged over 4 x 4 cells for comparison


def sheet(images: Tensor, columns: int = 8) -> Image.Image:
    """The images (N, 3, H, W) in [0, 1], row by row; the rest of the last row is white."""
    missing = -len(images) % columns
    images = torch.cat([images, images.new_ones(missing, *images.shape[1:])])
    tiles = images.unflatten(0, (-1, columns)).permute(2, 0, 3, 1, 4)  # colour, row, y, column, x
    return Image.fromarray(to_bytes(tiles.flatten(3, 4).flatten(1, 2)))


@torch.no_grad()
def nearest(
    images: Tensor, photos: Iterable[Tensor], features: nn.Module, count: int = 3
) -> tuple[Tensor, Tensor]:
    """The `count` nearest photos of each image, (N, count, 3, H, W), and distances (N, count).

    images (N, 3, H, W); photos: batches (B, 3, H, W), compared also as mirror images, of which the
    nearer is returned. Distances are root mean squares over features, averaged over cells.
    """
    real = _coarse(features(images))
    found = images.new_full((len(images), count), float("inf"))
    shown = images.new_zeros(len(images), count, *images.shape[1:])
    rows = torch.arange(len(images))[:, None]
    for batch in photos:
        both = torch.cat([batch, batch.flip(-1)])
        far = torch.cdist(real, _coarse(features(both)), compute_mode=EXACT)
        one, other = (far / real.shape[1] ** 0.5).chunk(2, 1)
        turned = other < one
        distances = torch.cat([found, torch.where(turned, other, one)], 1)
        found, chosen = distances.topk(count, largest=False)
        fresh = torch.where(turned[..., None, None, None], batch.flip(-1), batch)
        shown = torch.cat([shown, fresh], 1)[rows, chosen]
    return shown, found


def beside(images: Tensor, neighbours: Tensor) -> Image.Image:
    """A row for each image (N, 3, H, W), with its neighbours (N, count, 3, H, W) on the right."""
    tiles = torch.cat([images[:, None], neighbours], 1)
    return sheet(tiles.flatten(0, 1), columns=tiles.shape[1])


EXACT = "donot_use_mm_for_euclid_dist"


def _coarse(maps: Tensor) -> Tensor:
    """(B, C CELLS²): features (B, C, H, W), averaged over cells."""
    return adaptive_avg_pool2d(maps, CELLS).flatten(1)
