"""A U-Net of residual blocks, for restorers and refiners. Ours."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle, silu

from ..errors import PartError


class UNet(nn.Module):
    """(B, cin, H, W) → (B, cout, H, W), zero before training; H and W are multiples of 2^levels.

    The input is pixel-unshuffled by 2, which makes it fast.

    Args:
        widths: channels at 1/2, 1/4 ... of the picture's size, one per level.
        cin, cout: channels of input and output.
    """

    def __init__(self, widths: tuple[int, ...], cin: int = 3, cout: int = 3) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.first = nn.Conv2d(4 * cin, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(Residual(a), nn.Conv2d(a, b, 3, stride=2, padding=1)) for a, b in pairs
        )
        self.middle = nn.Sequential(Residual(widths[-1]), Residual(widths[-1]))
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(pairs))
        self.up = nn.ModuleList(Residual(a) for a, _ in reversed(pairs))
        self.last = nn.Conv2d(widths[0], 4 * cout, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def encode(self, picture: Tensor) -> list[Tensor]:
        """The features at 1/2, 1/4 ... of the picture's size.

        Raises:
            PartError: the size is no multiple of 2^levels.
        """
        least = 2 ** (len(self.down) + 1)
        if any(side % least for side in picture.shape[2:]):
            sides = " x ".join(map(str, picture.shape[2:]))
            raise PartError(f"a U-Net of these widths takes multiples of {least} px, not {sides}")
        seen = [self.first(pixel_unshuffle(picture, 2))]
        for down in self.down:
            seen.append(down(seen[-1]))
        return [*seen[:-1], self.middle(seen[-1])]

    def forward(self, picture: Tensor) -> Tensor:
        *seen, x = self.encode(picture)
        for narrow, up in zip(self.narrow, self.up):
            x = up(interpolate(narrow(x), scale_factor=2, mode="nearest") + seen.pop())
        return pixel_shuffle(self.last(x), 2)


class Residual(nn.Module):
    """(B, width, H, W) → the same shape: the input plus two convolutions of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.GroupNorm(max(1, width // 16), width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(silu(self.conv1(silu(self.norm(x)))))
