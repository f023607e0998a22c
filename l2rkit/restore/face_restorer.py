"""A small network that has seen only faces: the in-domain stand-in for GFPGAN and its kin. Ours."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, pixel_unshuffle, silu

from ..degrade.resize import resized
from ..registry import RESTORERS
from .shipped import load_shipped

WIDTHS = (48, 96, 160, 224)


@RESTORERS.register_module()
class FaceRestorer(nn.Module):
    """The aligned face (B, 3, H, W) restored, (B, 3, image_size, image_size), in [0, 1].

    A U-Net that adds to the photo what it lacks. It looks at 2 by 2 pixels as one, so it is quick,
    and at the coarsest level a pixel sees the whole face.

    Args:
        weights: name of a shipped file or a path, which stay frozen; None starts at random, to be
            trained.
        image_size: px that photos are brought to, a multiple of 16; those of the weights are 128.
        widths: channels at a half, a quarter ... of that size.
    """

    aligned = True  # what the photo has to be

    def __init__(
        self,
        weights: str | None = "face_restorer",
        image_size: int = 128,
        widths: tuple[int, ...] = WIDTHS,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        self.network = UNet(widths)
        if weights is not None:
            load_shipped(self, weights)

    def forward(self, photo: Tensor) -> Tensor:
        photo = resized(photo, (self.image_size, self.image_size), "bicubic").clamp(0, 1)
        return (photo + self.network(photo).float()).clamp(0, 1)


class UNet(nn.Module):
    """(B, 3, H, W) → (B, 3, H, W), zero before training; H and W are multiples of 2^levels."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        pairs = list(pairwise(widths))
        self.first = nn.Conv2d(12, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(Residual(a), nn.Conv2d(a, b, 3, stride=2, padding=1)) for a, b in pairs
        )
        self.middle = nn.Sequential(Residual(widths[-1]), Residual(widths[-1]))
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(pairs))
        self.up = nn.ModuleList(Residual(a) for a, _ in reversed(pairs))
        self.last = nn.Conv2d(widths[0], 12, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, photo: Tensor) -> Tensor:
        x = self.first(pixel_unshuffle(photo, 2))
        seen = []
        for down in self.down:
            seen.append(x)
            x = down(x)
        x = self.middle(x)
        for narrow, up in zip(self.narrow, self.up):
            x = up(interpolate(narrow(x), scale_factor=2, mode="nearest") + seen.pop())
        return pixel_shuffle(self.last(x), 2)


class Residual(nn.Module):
    """Two convolutions, added to what comes in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.GroupNorm(max(1, width // 16), width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(silu(self.conv1(silu(self.norm(x)))))
