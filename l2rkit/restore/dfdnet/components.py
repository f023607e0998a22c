"""Boxes of eyes, nose and mouth in an aligned face; cuts and pastes them in feature maps.

Two matrices of zeros and ones, (n, H) for rows and (n, W) for columns, cut and paste a box, so each
photo of a batch has its own boxes.
"""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ...data.align import TEMPLATE

# A box's side, and how far its middle lies below its landmark, as shares of the crop's side. Ours:
# the paper's boxes (80, 80, 50, 110 px of 512) are for crops with more around the face. These hold
# brow and eye, the nose from its bridge on, and the mouth to the chin, and are whole at each scale.
BOXES = {
    "left_eye": (3 / 8, -1 / 32),
    "right_eye": (3 / 8, -1 / 32),
    "nose": (1 / 4, -3 / 64),
    "mouth": (3 / 8, 0.0),
}


def template(size: int) -> Tensor:
    """(1, 5, 2): landmarks in px, in a crop of `size` px from `FaceAligner`."""
    return torch.from_numpy(TEMPLATE * size - 0.5).float()[None]


def side(component: str, size: int) -> int:
    """The side, in cells, of a component's box in a map of `size` cells."""
    return round(BOXES[component][0] * size)


def corners(landmarks: Tensor, size: int, stride: int) -> dict[str, Tensor]:
    """By component, the box's first (column, row), (B, 2), in maps of `size` / `stride` cells.

    landmarks (B, 5, 2): px of a crop of `size` px, pixel centres at integers: the eyes, the nose
    tip, the mouth's corners; left and right are the picture's. Boxes stay within the map.
    """
    left, right, nose, *mouth = landmarks.unbind(1)
    middles = zip(BOXES, (left, right, nose, sum(mouth) / 2))
    cells = size // stride
    found = {}
    for component, middle in middles:
        below = torch.tensor([0.0, BOXES[component][1] * size], device=middle.device)
        wide = side(component, cells)
        first = (middle + 0.5 + below) / stride - wide / 2
        found[component] = first.round().long().clamp(0, cells - wide)
    return found


def windows(landmarks: Tensor, size: int, stride: int) -> dict[str, tuple[Tensor, Tensor]]:
    """By component, the matrices (B, 1, n, cells) that pick its rows and its columns."""
    cells = size // stride
    found = {}
    for component, first in corners(landmarks, size, stride).items():
        steps = torch.arange(side(component, cells), device=first.device)
        across, down = (one_hot(each[:, None] + steps, cells).float() for each in first.unbind(1))
        found[component] = (down[:, None], across[:, None])
    return found


def cut(features: Tensor, window: tuple[Tensor, Tensor]) -> Tensor:
    """(B, C, n, n): the part of the map (B, C, H, W) in a window."""
    down, across = window
    return down.to(features) @ features @ across.to(features).mT


def paste(part: Tensor, window: tuple[Tensor, Tensor]) -> Tensor:
    """(B, C, H, W): the part (B, C, n, n) in its place, zeros around it."""
    down, across = window
    return down.to(part).mT @ part @ across.to(part)
