"""LAP's published networks: one face from any number of photos, then each photo's own.

Zhang et al., CVPR 2021. Order and names of the layers, and hence of the weights, as in the authors'
released demo, so that its checkpoint fits. All convolutions are without bias. `size` is 128 there;
64 and 32 have one and two stages less, which is ours.
"""

import torch
from torch import Tensor, nn

from .networks import down, exactly, norm, same, up


def ladder(size: int, width: int) -> list[int]:
    """Channels after each stride-2 stage from `size` down to 4 pixels."""
    steps = {32: (1, 2, 4), 64: (1, 2, 4, 8), 128: (1, 1, 2, 4, 8)}
    if size not in steps:
        raise ValueError(f"LAP's networks take 32, 64 or 128 pixels, not {size}")
    return [width * step for step in steps[size]]


def seen(layer: nn.Conv2d) -> list[nn.Module]:
    """A layer of an encoder."""
    return [layer, norm(layer.out_channels), nn.LeakyReLU(0.2, inplace=True)]


def drawn(layer: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    """A layer of a decoder."""
    return [layer, norm(layer.out_channels), nn.ReLU(inplace=True)]


def plain(cin: int, cout: int, kernel: int) -> list[nn.Module]:
    """A layer of codes: from `kernel` by `kernel` pixels to one."""
    return [nn.Conv2d(cin, cout, kernel, bias=False), nn.ReLU(inplace=True)]


def encoder(cin: int, widths: list[int], code: int, joined: int = 1) -> list[nn.Module]:
    """(B, cin, size, size) → (B, code, 1, 1), by way of bottlenecks at 8 and at 4 pixels.

    `joined` maps are concatenated before each bottleneck: 2 with another encoder's, else 1.
    """
    layers: list[nn.Module] = []
    for before, after in zip([cin, *widths[:-2]], widths[:-1]):
        layers += seen(down(before, after))
    layers += bottleneck(widths[-2], joined)
    layers += [down(widths[-2], widths[-1]), nn.LeakyReLU(0.2, inplace=True)]
    return [*layers, *bottleneck(widths[-1], joined), *plain(widths[-1], code, 4)]


def bottleneck(width: int, joined: int) -> list[nn.Module]:
    """Keeps the size, widens to twice the channels and back."""
    return [*seen(same(joined * width, 2 * width)), *seen(same(2 * width, width))]


def decoder(code: int, widths: list[int], cout: int) -> list[nn.Module]:
    """(B, code, 1, 1) → (B, cout, size, size), without final activation."""
    layers = [nn.ConvTranspose2d(code, widths[-1], 4, bias=False), nn.ReLU(inplace=True)]
    for before, after in zip(widths[:1:-1], widths[-2:0:-1]):
        layers += drawn(up(before, after))
    for before in (widths[1], widths[0]):
        layers += [nn.Upsample(scale_factor=2, mode="nearest"), *drawn(same(before, widths[0]))]
    return [*layers, *drawn(same(widths[0], widths[0], 5)), same(widths[0], cout, 5)]


class Aggregation(nn.Module):
    """The shared canonical depth or albedo of a person's photos. Published width: 64.

    Each photo gives a code and a weight for each number of its person's code.
    """

    def __init__(self, cout: int, size: int = 128, width: int = 64) -> None:
        super().__init__()
        widths, self.code = ladder(size, width), 8 * width
        self.network1 = nn.Sequential(*encoder(3, widths, 2 * self.code))
        self.combine_net = nn.Sequential(
            *plain(self.code, self.code, 1), *plain(self.code, self.code, 1)
        )
        self.network = nn.Sequential(*decoder(self.code, widths, cout))

    def encode(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """Codes and weight logits, both (B, code), of photos (B, 3, size, size) in [-1, 1]."""
        return self.network1(photo).flatten(1).float().split(self.code, dim=1)

    def decode(self, code: Tensor) -> Tensor:
        """(P, cout, size, size), without final activation, of the codes (P, code) of P people."""
        features = self.network[:-1](self.combine_net(code[..., None, None]))
        return exactly(self.network[-1], features)


class AttributeRefining(nn.Module):
    """A photo's own map from its person's shared one. Published width: 64.

    (B, cout, size, size), (B, 3, size, size) → (B, cout, size, size), without final activation.
    """

    def __init__(self, cout: int, size: int = 128, width: int = 64) -> None:
        super().__init__()
        widths, code = ladder(size, width), 8 * width
        first, second = widths[:2]
        consistent = encoder(cout, widths, code, joined=2)
        consistent += [*plain(2 * code, code, 1), *plain(code, code, 1)]
        self.network_consist = nn.Sequential(*consistent)
        # The first stage is half as wide, and has as many groups as if it were not.
        half = width // 2
        inject = [down(3, half), nn.GroupNorm(norm(width).num_groups, half)]
        inject += [nn.LeakyReLU(0.2, inplace=True)]
        for before, after in zip([half, *widths[1:-2]], widths[1:-1]):
            inject += seen(down(before, after))
        inject += [down(widths[-2], widths[-1]), nn.LeakyReLU(0.2, inplace=True)]
        self.network_inject = nn.Sequential(*inject, *plain(widths[-1], code, 4))
        self.network_decoder = nn.Sequential(*decoder(code, widths, cout))
        self.fusion2_1 = nn.Sequential(*drawn(same(2 * first, first)))
        self.fusion2_2 = nn.Sequential(*drawn(same(2 * first, first)))
        self.fusion3_1 = nn.Sequential(*drawn(same(2 * second, second)))
        self.fusion3_2 = nn.Sequential(*drawn(same(2 * second, second)))
        self.stages = len(widths)

    def forward(self, consistent: Tensor, photo: Tensor) -> Tensor:
        encode, inject, draw = self.network_consist, self.network_inject, self.network_decoder
        at_8 = 3 * (self.stages - 1)  # layers down to 8 pixels
        photo_8 = inject[:at_8](photo)
        photo_4 = inject[at_8 : at_8 + 2](photo_8)
        photo_1 = inject[at_8 + 2 :](photo_4)
        half = encode[:3](consistent)
        quarter = encode[3:6](half)
        code = torch.cat([encode[6:at_8](quarter), photo_8], 1)
        code = torch.cat([encode[at_8 : at_8 + 8](code), photo_4], 1)
        code = torch.cat([encode[at_8 + 8 : at_8 + 16](code), photo_1], 1)
        code = encode[at_8 + 16 :](code)
        up_to = 3 * (self.stages - 2) + 2  # layers up to a quarter of the size
        x = attend(draw[:up_to](code), quarter, self.fusion3_1, self.fusion3_2)
        x = attend(draw[up_to : up_to + 4](x), half, self.fusion2_1, self.fusion2_2)
        return exactly(draw[-1], draw[up_to + 4 : -1](x))


def attend(x: Tensor, skip: Tensor, look: nn.Module, join: nn.Module) -> Tensor:
    """`x` concatenated with the skipped map, weighted by a softmax over channels."""
    attention = look(torch.cat([x, skip], 1)).float().softmax(1)
    return join(torch.cat([x, skip * attention], 1))
