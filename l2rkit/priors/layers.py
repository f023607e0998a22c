"""The layers of StyleGAN2 (Karras et al., CVPR 2020) in plain PyTorch, from small to large.

Every weight is drawn from a unit normal and scaled where it is used ("equalized learning rate",
Karras et al., ICLR 2018), so that one learning rate suits all layers. Features are kept in
`torch.channels_last`, in which convolutions run two to four times as fast on a CPU.
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, linear, pad

from ..ops.transfer import constant

TAPS = (1 / 8, 3 / 8, 3 / 8, 1 / 8)  # the published low-pass filter [1, 3, 3, 1], along each axis
EPSILON = 1e-8


def leaky(x: Tensor) -> Tensor:
    """A leaky ReLU that keeps the variance of its input."""
    return sqrt(2) * leaky_relu(x, 0.2)


def unit(z: Tensor) -> Tensor:
    """z (..., C) scaled to a mean square of 1 over C."""
    return z * (z.square().mean(-1, keepdim=True) + EPSILON).rsqrt()


def blur(x: Tensor, margin: int, gain: float = 1, step: int = 1) -> Tensor:
    """(B, C, (H + 2 margin - 3) / step, ...): every step-th pixel of x (B, C, H, W), low-passed.

    There are zeros around x. `gain` multiplies along each of the two axes.
    """
    count = x.shape[1]
    taps = (gain * constant(TAPS, x)).expand(count, 1, 1, 4)
    x = conv2d(pad(x, [margin] * 4), taps, stride=(1, step), groups=count)
    return conv2d(x, taps.transpose(2, 3), stride=(step, 1), groups=count)


def enlarged(x: Tensor) -> Tensor:
    """(B, C, 2 H, 2 W): x (B, C, H, W) with zeros between its pixels, low-passed.

    Away from the rim it is bilinear interpolation; beyond the rim there are zeros.
    """
    count = x.shape[1]
    taps = (2 * constant(TAPS, x)).expand(count, 1, 1, 4)
    x = conv_transpose2d(x, taps, stride=(1, 2), padding=(0, 1), groups=count)
    return conv_transpose2d(x, taps.transpose(2, 3), stride=(2, 1), padding=(1, 0), groups=count)


def modulated(
    x: Tensor, weight: Tensor, style: Tensor, up: bool = False, demodulate: bool = True
) -> Tensor:
    """(B, O, H, W), or twice as large with `up`: the modulated convolution of eqs. 1 and 3.

    The paper scales `weight` (O, I, k, k) by the `style` (B, I) of each sample, and then to unit
    norm for each output. That is the same as scaling what goes in by the style and what comes out
    by one over that norm, with one convolution for the whole batch: faster on a CPU.
    """
    x = x * style[..., None, None]
    if up:
        x = blur(conv_transpose2d(x, weight.transpose(0, 1), stride=2), margin=1, gain=2)
    else:
        x = conv2d(x, weight, padding=weight.shape[-1] // 2)
    if not demodulate:
        return x
    energy = linear(style.square(), weight.square().sum((2, 3)))
    return x * (energy + EPSILON).rsqrt()[..., None, None]


def sft_modulated(x: Tensor, maps: tuple[Tensor, Tensor]) -> Tensor:
    """x (B, C, H, W) times the first map plus the second: a spatial feature transform.

    Maps (B, c, H, W) of fewer channels act on the last c of x alone (GFPGAN, CVPR 2021, steers the
    last half); scale 1 and shift 0 change nothing.
    """
    scale, shift = maps
    kept = x.shape[1] - scale.shape[1]
    return torch.cat([x[:, :kept], x[:, kept:] * scale + shift], 1)


class Dense(nn.Module):
    """(..., I) → (..., O), linear. `pace` multiplies the learning rate, as seen from outside."""

    def __init__(self, cin: int, cout: int, bias: float = 0, pace: float = 1) -> None:
        super().__init__()
        self.pace = pace
        self.weight = nn.Parameter(torch.randn(cout, cin) / pace)
        self.bias = nn.Parameter(torch.full((cout,), float(bias)))

    def forward(self, x: Tensor) -> Tensor:
        gain = self.pace / sqrt(self.weight.shape[1])
        return linear(x, self.weight * gain, self.bias * self.pace)


class Conv(nn.Module):
    """(B, I, H, W) → (B, O, H, W), or half as large with `down`: low-passed, then convolved."""

    def __init__(
        self, cin: int, cout: int, kernel: int = 3, bias: bool = True, down: bool = False
    ) -> None:
        super().__init__()
        self.down = down
        self.weight = nn.Parameter(torch.randn(cout, cin, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(cout)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.weight.shape[-1]
        weight = self.weight / sqrt(self.weight[0].numel())
        if not self.down:
            return conv2d(x, weight, self.bias, padding=kernel // 2)
        if kernel == 1:
            return conv2d(blur(x, margin=1, step=2), weight, self.bias)
        return conv2d(blur(x, margin=1 + kernel // 2), weight, self.bias, stride=2)


class StyledConv(nn.Module):
    """(B, I, H, W), style code (B, L) → (B, O, H, W), or twice as large with `up`; with noise.

    `size` is that of what comes out, in px; `noise` is "fixed" (the map kept here), "random" or
    "none". Its strength starts at 0 and is learnt.
    """

    def __init__(self, cin: int, cout: int, latent: int, size: int, up: bool = False) -> None:
        super().__init__()
        self.up = up
        self.style = Dense(latent, cin, bias=1)
        self.weight = nn.Parameter(torch.randn(cout, cin, 3, 3))
        self.bias = nn.Parameter(torch.zeros(cout))
        self.strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise", torch.randn(1, 1, size, size))

    def forward(self, x: Tensor, code: Tensor, noise: str = "fixed") -> Tensor:
        weight = self.weight / sqrt(self.weight[0].numel())
        x = modulated(x, weight, self.style(code), self.up)
        if noise != "none":
            drawn = self.noise if noise == "fixed" else torch.randn_like(x[:, :1])
            x = x + self.strength * drawn
        return leaky(x + self.bias[:, None, None])


class ToImage(nn.Module):
    """(B, I, H, W), style code (B, L) → what these features add to the image, (B, 3, H, W)."""

    def __init__(self, cin: int, latent: int) -> None:
        super().__init__()
        self.style = Dense(latent, cin, bias=1)
        self.weight = nn.Parameter(torch.randn(3, cin, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        weight = self.weight / sqrt(self.weight[0].numel())
        x = modulated(x, weight, self.style(code), demodulate=False)
        return x + self.bias[:, None, None]
