"""Means over the part of a picture that a mask marks."""

from torch import Tensor


def masked_mean(value: Tensor, mask: Tensor) -> Tensor:
    """The mean of `value` where `mask` is 1, a scalar; 0 where the mask is empty."""
    return (value * mask).sum() / mask.sum().clamp(min=1)


def masked_means(value: Tensor, mask: Tensor) -> Tensor:
    """(B,): the same of each picture of `value` (B, C, H, W) by itself."""
    return (value * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)
