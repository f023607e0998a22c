"""Means over the part of a picture that a mask marks."""

from torch import Tensor

from .distributed import all_reduce_mean


def masked_mean(value: Tensor, mask: Tensor) -> Tensor:
    """The mean of `value` where `mask` is 1, a scalar; 0 where the mask is empty.

    In several processes: this one's share of the mean over all their masks, whose mean that is.
    """
    return (value * mask).sum() / all_reduce_mean(mask.sum()).clamp(min=1)


def masked_means(value: Tensor, mask: Tensor) -> Tensor:
    """(B,): the same of each picture of `value` (B, C, H, W) by itself."""
    return (value * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)
