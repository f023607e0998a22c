"""The trained layers: exchange with confidence, context, and a coarse-to-fine decoder.

Ours: widths and numbers of layers (0.86 M weights, far fewer than the paper's), and no spectral
normalisation, which is for adversarial training.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_unshuffle

from .components import BOXES, cut, paste
from .dictionary import Dictionary
from .features import CHANNELS

DILATIONS = (4, 3, 2, 1)  # cells
SLOPE = 0.2  # of the leaky ReLUs


def conv(cin: int, cout: int, dilation: int = 1) -> nn.Conv2d:
    """3 by 3, keeps the size."""
    return nn.Conv2d(cin, cout, 3, padding=dilation, dilation=dilation)


def bent(*layers: nn.Module) -> nn.Sequential:
    """The layers, each followed by a leaky ReLU."""
    return nn.Sequential(*(each for layer in layers for each in (layer, nn.LeakyReLU(SLOPE))))


class Exchange(nn.Module):
    """A map (B, C, H, W) with each component's atom added, weighted by a confidence.

    F + confidence(atom - F) * atom in each component's box; where boxes overlap, the additions are
    summed (ours).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.confidence = nn.ModuleDict(
            {
                component: nn.Sequential(bent(conv(channels, channels)), conv(channels, channels))
                for component in BOXES
            }
        )

    def forward(self, features: Tensor, windows: dict, atoms: Dictionary, stride: int) -> Tensor:
        total = features
        for component, window in windows.items():
            part = cut(features, window)
            swap = atoms.swapped(part, component, stride)
            trust = self.confidence[component](swap - part)
            total = total + paste(trust * swap, window)
        return total


class MultiDilation(nn.Module):
    """Context at the coarsest scale: branches of growing reach, joined and added (B, C, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        quarter = width // len(DILATIONS)
        self.branches = nn.ModuleList(bent(conv(width, quarter, reach)) for reach in DILATIONS)
        self.join = conv(quarter * len(DILATIONS), width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.join(torch.cat([branch(x) for branch in self.branches], 1))


class Modulated(nn.Module):
    """x (B, C, H, W) scaled and shifted by a feature map (B, F, H, W), then mixed.

    Spatial feature transform: x * (1 + scale) + shift.
    """

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.say = nn.Sequential(bent(conv(features, features)), conv(features, 2 * width))
        self.mix = bent(conv(width, width))

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        scale, shift = self.say(features).chunk(2, 1)
        return self.mix(x * (1 + scale) + shift)


class Decoder(nn.Module):
    """The correction of the photo, (B, 3, H, W), from maps at H/2, H/4, H/8 and H/16.

    Ours: the finest layers work at half the size, where the photo joins them with its four pixels
    of a cell as channels; the last layer starts at zero, so at first nothing is added.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width * times for times in (1, 2, 3, 3)]
        self.context = nn.Sequential(conv(CHANNELS[-1], widths[-1]), MultiDilation(widths[-1]))
        self.levels = nn.ModuleList(map(Modulated, widths, CHANNELS))
        self.narrow = nn.ModuleList(map(conv, widths[1:], widths[:-1]))
        self.join = bent(conv(width + 12, width), conv(width, width))
        self.last = conv(width, 12)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.unfold = nn.PixelShuffle(2)

    def forward(self, maps: list[Tensor], photo: Tensor) -> Tensor:
        x = self.context(maps[-1])
        for i in reversed(range(len(maps))):
            x = self.levels[i](x, maps[i])
            if i:
                x = interpolate(self.narrow[i - 1](x), scale_factor=2, mode="nearest")
        x = self.join(torch.cat([x, pixel_unshuffle(photo, 2)], 1))
        return self.unfold(self.last(x))
