"""Masked means and blur."""

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from .distributed import all_reduce_mean


def masked_mean(value: Tensor, mask: Tensor) -> Tensor:
    """The sum of `value` over `mask` / its size, a scalar; 0 if the mask is empty.

    value (B, C, H, W), mask (B, 1, H, W). With C > 1 it is the sum of the channels' means.

    With several processes, the sum is divided by the processes' mean mask size. The mean of the
    results over processes is then the masked mean over all photos.
    """
    return (value * mask).sum() / all_reduce_mean(mask.sum()).clamp(min=1)


def masked_means(value: Tensor, mask: Tensor) -> Tensor:
    """(B,): the sum over `mask` (B, 1, H, W) / its size, of each picture of `value` (B, C, H, W).

    0 if the mask is empty. With C > 1 it is the sum of the channels' means.
    """
    return (value * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)


def masked_blur(value: Tensor, mask: Tensor, sigma: float) -> Tensor:
    """(B, C, H, W): Gaussian means of value (B, C, H, W) over the mask (B, 1, H, W).

    sigma: standard deviation in px; the kernel ends at 3 sigma. The mean is 0 where the kernel
    covers no pixel of the mask. Passes gradients. Autocast is off inside: half precision is too
    coarse for the colours of a photo.
    """
    reach = math.ceil(3 * sigma)
    line = torch.arange(-reach, reach + 1, dtype=value.dtype, device=value.device)
    line = (-(line**2) / (2 * sigma**2)).exp()
    line = line / line.sum()

    def blurred(planes: Tensor) -> Tensor:
        one = planes.flatten(0, 1)[:, None]
        one = conv2d(one, line.view(1, 1, 1, -1), padding=(0, reach))
        return conv2d(one, line.view(1, 1, -1, 1), padding=(reach, 0)).view_as(planes)

    with torch.autocast(value.device.type, enabled=False):
        return blurred(value * mask) / blurred(mask).clamp(min=1e-6)
