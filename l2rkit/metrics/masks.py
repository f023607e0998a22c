"""Masks of the pixels where prediction and truth are compared."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ..structures import BACKGROUND


def known(figures: Tensor, shares: Tensor) -> Tensor:
    """(B,): the figures, NaN where the coverage (B,) is 0."""
    return torch.where(shares > 0, figures, torch.nan)


def common_mask(depth: Tensor, truth: Tensor) -> Tensor:
    """(B, 1, H, W): where both depths have a surface, each without its outermost pixels."""
    return inner((depth < BACKGROUND).to(depth.dtype)) * inner(truth_mask(truth))


def inner(mask: Tensor) -> Tensor:
    """(B, 1, H, W): the mask (B, 1, H, W) without its outermost pixels.

    A pixel stays if the 3 by 3 pixels around it are all inside the mask and the picture.
    """
    return (avg_pool2d(mask, 3, 1, 1) > 0.99).to(mask.dtype)


def truth_mask(truth: Tensor) -> Tensor:
    """(B, 1, H, W): where the truth has a surface: nearer than its farthest depth."""
    return (truth < truth.amax((1, 2, 3), keepdim=True)).to(truth.dtype)
