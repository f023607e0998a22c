"""ESRGAN's generator: residual-in-residual dense blocks (Wang et al., ECCVW 2018, section 3.1).

Read from small to large. Names of the weights are those of the released checkpoints.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

RESIDUAL = 0.2  # scale of a block's residual
SLOPE = 0.2  # of the leaky ReLUs


def conv(cin: int, cout: int) -> nn.Conv2d:
    """3 by 3, keeps the size."""
    return nn.Conv2d(cin, cout, 3, 1, 1)


class DenseBlock(nn.Module):
    """Five convolutions; each sees the input and all earlier outputs."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for i in range(4):
            self.add_module(f"conv{i + 1}", conv(width + i * growth, growth))
        self.conv5 = conv(width + 4 * growth, width)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            seen = torch.cat([seen, leaky_relu(layer(seen), SLOPE)], 1)
        return x + RESIDUAL * self.conv5(seen)


class ResidualBlock(nn.Module):
    """Three dense blocks, added to the input."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = DenseBlock(width, growth)
        self.rdb2 = DenseBlock(width, growth)
        self.rdb3 = DenseBlock(width, growth)

    def forward(self, x: Tensor) -> Tensor:
        return x + RESIDUAL * self.rdb3(self.rdb2(self.rdb1(x)))


class RRDBNet(nn.Module):
    """(B, 3, H, W) → (B, 3, 4 H, 4 W), in [0, 1] but for overshoot.

    Published: 64 channels, 23 blocks, growth 32; 16.7 M weights.
    """

    def __init__(self, width: int = 64, blocks: int = 23, growth: int = 32) -> None:
        super().__init__()
        self.conv_first = conv(3, width)
        self.body = nn.Sequential(*(ResidualBlock(width, growth) for _ in range(blocks)))
        self.conv_body = conv(width, width)
        self.conv_up1 = conv(width, width)
        self.conv_up2 = conv(width, width)
        self.conv_hr = conv(width, width)
        self.conv_last = conv(width, 3)

    def forward(self, photo: Tensor) -> Tensor:
        x = self.conv_first(photo)
        x = x + self.conv_body(self.body(x))
        for enlarge in (self.conv_up1, self.conv_up2):
            x = leaky_relu(enlarge(interpolate(x, scale_factor=2, mode="nearest")), SLOPE)
        return self.conv_last(leaky_relu(self.conv_hr(x), SLOPE))
