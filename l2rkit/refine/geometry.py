"""L2R's geometry refinement: depth at the albedo's size, and a displacement map.

The paper's statement (introduction): with the restored texture, high-resolution shape and
displacement maps are learnt from scratch, without a predefined topology. The network, its inputs
and the bounds are ours.
"""

from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor, nn

from ..landmarks.surface import mean_face_region
from ..ops.masked import masked_blur
from ..ops.unet import UNet
from ..registry import REFINERS
from ..render.warp import warp_to_canonical
from ..structures import FAR, NEAR, Face

MIDDLE, REACH = (FAR + NEAR) / 2, (FAR - NEAR) / 2
LIMIT = 0.99  # share of the range: a depth at its end could not move any more


@REFINERS.register_module()
class RefinedGeometry(nn.Module):
    """The face with refined depth, which includes `displacement`.

    The network sees the albedo, the proxy's depth, and the photo unwrapped onto the canonical face.
    It moves the depth within the whole range and adds a displacement. Before training it changes
    nothing but depth at the range's ends, which it moves in by a thousandth.

    Args:
        widths: channels at a half, a quarter ... of the face's size.
        displacement: the largest, as a share of the depth range; 0 is none.
        rim: standard deviation of a Gaussian, in widths of the face's maps, by which the refinement
            ends towards the mean face's outline; beyond, depth stays as it is. For proxies of the
            face alone, whose steep surroundings no loss sees. 0 refines the whole map.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (32, 64, 96, 128),
        displacement: float = 0.02,
        rim: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= rim <= 0.5:
            raise ValueError(f"RefinedGeometry: rim is within 0..0.5, not {rim}")
        if not 0 <= displacement <= 0.5:
            raise ValueError(f"RefinedGeometry: displacement is within 0..0.5, not {displacement}")
        self.displacement, self.rim = displacement, rim
        self.network = UNet(widths, cin=7, cout=2)

    def forward(self, face: Face, photo: Tensor) -> Face:
        """face: restored albedo, depth of the proxy; photo (B, 3, H, W): its photo."""
        relief = (face.depth - MIDDLE) / REACH
        said = self.network(self.network_input(face, photo)).float()
        if self.rim:
            said = said * within_face(face.size, self.rim).to(said, non_blocking=True)
        moved, added = said.chunk(2, 1)
        relief = (relief.clamp(-LIMIT, LIMIT).atanh() + moved).tanh()
        displacement = 2 * REACH * self.displacement * added.tanh()
        depth = (MIDDLE + REACH * relief + displacement).clamp(NEAR, FAR)
        return replace(face, depth=depth, displacement=displacement)

    @staticmethod
    @torch.no_grad()
    def network_input(face: Face, photo: Tensor) -> Tensor:
        """(B, 7, S, S) in [-1, 1]: albedo, relief, and the photo on the canonical face."""
        seen = warp_to_canonical(photo, face.depth, face.view)
        return torch.cat([face.albedo * 2 - 1, (face.depth - MIDDLE) / REACH, seen * 2 - 1], 1)


@lru_cache(maxsize=8)
def within_face(size: int, rim: float) -> Tensor:
    """(1, 1, size, size): 1 on the mean face, falling to 0 at its outline, 0 beyond.

    rim: standard deviation of the blur in widths. Do not change the tensor.
    """
    region = mean_face_region(size)
    # It is kept for callers of any mode.
    with torch.inference_mode(False):
        soft = masked_blur(region, torch.ones_like(region), rim * size)
        return region * (2 * soft - 1).clamp(min=0)
