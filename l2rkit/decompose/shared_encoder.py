"""A face from one encoder: quicker than a network for each part, and wide enough to tell people."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_unshuffle

from ..face import FAR, NEAR, Face
from ..geometry import aligned
from ..landmarks.points import MEAN_FACE
from ..landmarks.surface import canonical_depth
from ..registry import DECOMPOSERS
from ..unet import Residual
from .networks import exactly
from .unsup3d import light_from_code

BLOCK = 4  # by so many pixels the encoder sees as one
WIDTHS = (64, 128, 192, 256)  # channels at a quarter, an eighth ... a thirty-second of the photo
DECODER = (96, 64, 32, 16)  # channels at 8, 16, 32 and 64 px
REACH_DEPTH = 0.08  # farthest that a depth may lie from the mean face's


@DECOMPOSERS.register_module()
class SharedEncoderDecomposer(nn.Module):
    """Depth, albedo, light and view of a photo, all from one code. Ours.

    The encoder is residual and sees the photo at a quarter of its size, 4 by 4 pixels as one. Depth
    is the mean face's plus what the code adds, decoded to 64 px without any path that keeps places
    of the photo, since the maps are canonical; so is albedo.

    Args:
        image_size: pixels of the photo and of the canonical maps, a multiple of 32.
        widths: channels of the encoder, from a quarter of the photo's size downwards.
        code: numbers that describe a photo.
        max_rotation_deg: largest turn about each axis.
        max_shift: largest shift along x, y and z, in units of depth.
    """

    def __init__(
        self,
        image_size: int = 128,
        widths: tuple[int, ...] = WIDTHS,
        code: int = 512,
        max_rotation_deg: float = 90.0,
        max_shift: tuple[float, float, float] = (0.1, 0.1, 0.0),
    ) -> None:
        super().__init__()
        least = BLOCK * 2 ** (len(widths) - 1)
        if image_size % least:
            raise ValueError(f"image_size is a multiple of {least}, not {image_size}")
        self.image_size = image_size
        layers: list[nn.Module] = [nn.Conv2d(3 * BLOCK**2, widths[0], 3, padding=1)]
        layers += [Residual(widths[0])]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1), Residual(after)]
        side = image_size // least
        self.encode = nn.Sequential(
            *layers, nn.SiLU(), nn.Flatten(), nn.Linear(widths[-1] * side**2, code), nn.SiLU()
        )
        self.pose = nn.Linear(code, 10)  # view and light
        self.unfold = nn.Linear(code, DECODER[0] * 64)
        steps: list[nn.Module] = []
        for before, after in pairwise(DECODER):
            steps += [
                nn.Upsample(scale_factor=2, mode="bilinear"),
                nn.Conv2d(before, after, 3, padding=1),
            ]
            steps += [Residual(after)]
        self.decode = nn.Sequential(*steps)
        self.maps = nn.Conv2d(DECODER[-1], 4, 3, padding=1)  # depth and albedo
        for last in (self.pose, self.maps):
            nn.init.zeros_(last.bias)
            last.weight.data.mul_(0.1)
        reach = torch.tensor([math.radians(max_rotation_deg)] * 3 + list(max_shift))
        self.register_buffer("reach", reach, persistent=False)
        mean, _ = canonical_depth(torch.from_numpy(MEAN_FACE)[None], 8 * 2 ** (len(DECODER) - 1))
        self.register_buffer("mean_depth", mean)

    def forward(self, photo: Tensor, person: Tensor | None = None) -> Face:
        """The face in `photo` (B, 3, image_size, image_size); `person` is not used."""
        size = self.image_size
        if photo.shape[1:] != (3, size, size):
            wanted = f"(B, 3, {size}, {size})"
            raise ValueError(
                f"SharedEncoderDecomposer wants photos {wanted}, not {tuple(photo.shape)}"
            )
        code = self.encode(pixel_unshuffle(photo * 2 - 1, BLOCK))
        pose = exactly(self.pose, code).tanh()
        small = self.unfold(code).unflatten(1, (DECODER[0], 8, 8))
        maps = exactly(self.maps, self.decode(small))
        depth = self.mean_depth + REACH_DEPTH * maps[:, :1].tanh()
        return Face(
            depth=aligned(depth, size).clamp(NEAR, FAR),
            albedo=aligned(maps[:, 1:].tanh() / 2 + 0.5, size),
            light=light_from_code(pose[:, 6:]),
            view=pose[:, :6] * self.reach,
        )
