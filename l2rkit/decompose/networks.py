"""Unsup3D's published networks, read top to bottom from small to large.

Wu et al., CVPR 2020, supplementary tables; layer order, and hence the order of the weights, as in
the released code, so that official checkpoints fit. All convolutions are without bias. `size` is
64 in the paper; 32 has one stride-2 stage less and 128 one more, which is ours.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def stage_widths(size: int, width: int) -> list[int]:
    """Channels after each stride-2 stage from `size` down to 4 pixels: width * (1, 2, 4, 8, 8)."""
    stages = {32: 3, 64: 4, 128: 5}
    if size not in stages:
        raise ValueError(f"Unsup3D's networks take 32, 64 or 128 pixels, not {size}")
    return [width * min(8, 2**stage) for stage in range(stages[size])]


def norm(channels: int) -> nn.GroupNorm:
    """Group normalisation with 4 channels a group (16 groups for the published 64 channels)."""
    return nn.GroupNorm(max(1, channels // 4), channels)


def down(cin: int, cout: int) -> nn.Conv2d:
    """Halves the size."""
    return nn.Conv2d(cin, cout, 4, 2, 1, bias=False)


def up(cin: int, cout: int) -> nn.ConvTranspose2d:
    """Doubles the size."""
    return nn.ConvTranspose2d(cin, cout, 4, 2, 1, bias=False)


def same(cin: int, cout: int, kernel: int = 3) -> nn.Conv2d:
    """Keeps the size."""
    return nn.Conv2d(cin, cout, kernel, 1, kernel // 2, bias=False)


def exactly(layers: nn.Module, x: Tensor) -> Tensor:
    """Layers in float32, also where the rest is in half precision.

    In bfloat16 angles would have steps of a quarter of a degree, and normals of several.
    """
    with torch.autocast(x.device.type, enabled=False):
        return layers(x.float())


def encode_to_code(cin: int, widths: list[int], code: int) -> list[nn.Module]:
    """(B, cin, size, size) → (B, code, 1, 1)."""
    layers: list[nn.Module] = []
    for before, after in zip([cin, *widths[:-2]], widths[:-1]):
        layers += [down(before, after), norm(after), nn.LeakyReLU(0.2, inplace=True)]
    layers += [down(widths[-2], widths[-1]), nn.LeakyReLU(0.2, inplace=True)]
    return [*layers, nn.Conv2d(widths[-1], code, 4, bias=False), nn.ReLU(inplace=True)]


class EncoderDecoder(nn.Module):
    """Predicts a map, canonical depth or albedo, through a code: Unsup3D's `netD` and `netA`.

    (B, 3, size, size) → (B, cout, size, size), without final activation. Published width: 64.
    """

    def __init__(self, cout: int, size: int = 64, width: int = 64) -> None:
        super().__init__()
        widths = stage_widths(size, width)
        code, widest = 4 * width, widths[-1]
        layers = encode_to_code(3, widths, code)
        layers += [nn.ConvTranspose2d(code, widest, 4, bias=False), nn.ReLU(inplace=True)]
        layers += [same(widest, widest), nn.ReLU(inplace=True)]
        for before, after in zip(widths[:0:-1], widths[-2::-1]):
            layers += [up(before, after), norm(after), nn.ReLU(inplace=True)]
            layers += [same(after, after), norm(after), nn.ReLU(inplace=True)]
        layers += [nn.Upsample(scale_factor=2, mode="nearest")]
        layers += [same(width, width), norm(width), nn.ReLU(inplace=True)]
        layers += [same(width, width, 5), norm(width), nn.ReLU(inplace=True)]
        self.network = nn.Sequential(*layers, same(width, cout, 5))

    def forward(self, photo: Tensor) -> Tensor:
        return exactly(self.network[-1], self.network[:-1](photo))


class Encoder(nn.Module):
    """Predicts light or view, (B, cout) in (-1, 1): Unsup3D's `netL` and `netV`.

    `stages` gives the channels after each stage for a size and a width.
    """

    def __init__(
        self,
        cout: int,
        size: int = 64,
        width: int = 32,
        stages: Callable[[int, int], list[int]] = stage_widths,
    ) -> None:
        super().__init__()
        widths = stages(size, width)
        layers: list[nn.Module] = []
        for before, after in zip([3, *widths], widths):
            layers += [down(before, after), nn.ReLU(inplace=True)]
        layers += [nn.Conv2d(widths[-1], widths[-1], 4, bias=False), nn.ReLU(inplace=True)]
        self.network = nn.Sequential(*layers, nn.Conv2d(widths[-1], cout, 1, bias=False), nn.Tanh())

    def forward(self, photo: Tensor) -> Tensor:
        return exactly(self.network[-2:], self.network[:-2](photo)).flatten(1)

    def start_near_zero(self, gain: float) -> None:
        """He's initialisation throughout, the last layer then times `gain`."""
        convolutions = [layer for layer in self.network if isinstance(layer, nn.Conv2d)]
        for layer in convolutions:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        convolutions[-1].weight.data.mul_(gain)


class ConfidenceNet(nn.Module):
    """Predicts positive error scales per pixel and per 4 by 4 pixels: Unsup3D's `netC`.

    (B, 3, size, size) → (B, 2, size, size), (B, 2, size / 4, size / 4). Published width: 64.
    """

    def __init__(self, size: int = 64, width: int = 64) -> None:
        super().__init__()
        widths = stage_widths(size, width)
        code = 2 * width
        layers = encode_to_code(3, widths, code)
        layers += [nn.ConvTranspose2d(code, widths[-1], 4, bias=False), nn.ReLU(inplace=True)]
        for before, after in zip(widths[:1:-1], widths[-2:0:-1]):
            layers += [up(before, after), norm(after), nn.ReLU(inplace=True)]
        self.network = nn.Sequential(*layers)
        pixel = [up(widths[1], width), norm(width), nn.ReLU(inplace=True)]
        pixel += [up(width, width), norm(width), nn.ReLU(inplace=True)]
        self.out_net1 = nn.Sequential(*pixel, same(width, 2, 5), nn.Softplus())
        self.out_net2 = nn.Sequential(same(widths[1], 2), nn.Softplus())

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        features = self.network(photo)
        return self.out_net1(features), self.out_net2(features)
