"""StyleGAN2's discriminator (Karras et al., CVPR 2020)."""

from math import sqrt

import torch
from torch import Tensor, nn

from ..errors import PartError
from ..registry import MODELS
from .generator import channel_table
from .layers import Conv, Dense, leaky

GROUP = 4  # size of a group of images


class Residual(nn.Module):
    """(B, I, H, W) → (B, O, H / 2, W / 2): two convolutions beside one of a pixel."""

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.conv1 = Conv(cin, cin)
        self.conv2 = Conv(cin, cout, down=True)
        self.skip = Conv(cin, cout, kernel=1, bias=False, down=True)

    def forward(self, x: Tensor) -> Tensor:
        return (leaky(self.conv2(leaky(self.conv1(x)))) + self.skip(x)) / sqrt(2)


def minibatch_stddev(x: Tensor) -> Tensor:
    """(B, 1, H, W): minibatch stddev of features x (B, C, H, W), one number per group.

    The standard deviation over the group, averaged over channels and pixels (Karras et al., ICLR
    2018). With n groups, images i, i + n, i + 2 n ... are a group. A group has four images, or the
    largest smaller number that divides the batch (ours).
    """
    batch, _, height, width = x.shape
    group = max(n for n in range(1, GROUP + 1) if batch % n == 0)
    variance = x.reshape(group, batch // group, -1).var(0, unbiased=False)
    one = (variance + 1e-8).sqrt().mean(1)
    return one.repeat(group)[:, None, None, None].expand(batch, 1, height, width)


@MODELS.register_module()
class StyleGAN2Discriminator(nn.Module):
    """Image (B, 3, size, size) in [0, 1] → score (B,): the higher, the more like a photo.

    Args:
        size: px, of 32 to 1024.
        width: times the published number of channels.
        multiplier: 2 for the published config F.
        condition: length of the condition, such as a view. Its projection on the last features is
            added to the score (Miyato & Koyama, ICLR 2018). 0 is none, as published.
    """

    def __init__(
        self, size: int = 256, width: float = 1, multiplier: float = 2, condition: int = 0
    ) -> None:
        super().__init__()
        self.size, self.condition = size, condition
        widths = list(reversed(channel_table(size, width, multiplier).values()))
        last = widths[-1]
        self.first = Conv(3, widths[0], kernel=1)
        self.blocks = nn.Sequential(*map(Residual, widths[:-1], widths[1:]))
        self.last = Conv(last + 1, last)
        self.dense = Dense(last * 4 * 4, last)
        self.score = Dense(last, 1)
        self.project = Dense(condition, last) if condition else None

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Tensor:
        """condition: (B, `condition`); None for an unconditional discriminator."""
        self.check(image, condition)
        image = (2 * image - 1).contiguous(memory_format=torch.channels_last)
        x = self.blocks(leaky(self.first(image)))
        x = leaky(self.last(torch.cat([x, minibatch_stddev(x)], 1)))
        x = leaky(self.dense(x.flatten(1)))
        score = self.score(x)[:, 0]
        if self.project is None:
            return score
        return score + (x * self.project(condition)).sum(1) / sqrt(x.shape[1])

    def check(self, image: Tensor, condition: Tensor | None) -> None:
        side = self.size
        if tuple(image.shape[1:]) != (3, side, side):
            got = ", ".join(map(str, image.shape[1:]))
            raise PartError(
                f"StyleGAN2Discriminator: images are (B, 3, {side}, {side}), not (B, {got})"
            )
        check_condition(self, image, condition)


def check_condition(part: nn.Module, image: Tensor, condition: Tensor | None) -> None:
    """Raises a PartError if a condition has not the shape that the discriminator expects."""
    expected = (len(image), part.condition) if part.condition else None
    got = None if condition is None else tuple(condition.shape)
    if got != expected:
        raise PartError(f"{type(part).__name__}: condition is {expected}, not {got}")
