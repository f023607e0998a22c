"""A depth offset common to all faces, and photos unwrapped onto the canonical face. Ours."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..geometry import move, normals, project, rotation, unproject
from ..ops.resize import aligned
from ..registry import REFINERS
from ..render.warp import Rasterizer, warp_depth, warp_to_canonical
from ..structures import FAR, NEAR, Face

DARKEST = 0.03  # least luminance of a photo; less is clamped
NEARLY = 0.01  # a point is hidden if the rendered depth is nearer by more than this
SLANTED = 0.35  # points with a smaller cosine to the camera are ignored


@REFINERS.register_module()
class SharedDepthOffset(nn.Module):
    """Adds the same map to the depth of every face: `shape` (1, 1, size, size), initially 0.

    `tools/builders/photometric_stereo.py` finds the map. It is resized for faces of another size.
    """

    def __init__(self, size: int = 64) -> None:
        super().__init__()
        self.shape = nn.Parameter(torch.zeros(1, 1, size, size))

    def forward(self, face: Face, photo: Tensor) -> Face:
        """The face with its depth moved; `photo` is ignored."""
        return replace(face, depth=(face.depth + aligned(self.shape, face.size)).clamp(NEAR, FAR))


@dataclass(frozen=True, eq=False)
class CanonicalObservations:
    """N photos unwrapped onto the canonical face.

    luminance (N, 1, S, S): logarithm of each photo's mean colour, unwrapped; seen (N, 1, S, S):
    0 or 1; slopes (N, 2): x / -z and y / -z of the direction to the light, a first guess in the
    canonical frame; depth (1, 1, S, S): the mean face's.
    """

    luminance: Tensor
    seen: Tensor
    slopes: Tensor
    depth: Tensor

    @staticmethod
    def joined(several: list["CanonicalObservations"]) -> "CanonicalObservations":
        """The observations of several batches as one."""
        sizes = torch.tensor([float(len(c.seen)) for c in several]).view(-1, 1, 1, 1)
        depth = (torch.cat([c.depth for c in several]) * sizes).sum(0, keepdim=True) / sizes.sum()
        parts = ([getattr(c, name) for c in several] for name in ("luminance", "seen", "slopes"))
        return CanonicalObservations(*map(torch.cat, parts), depth)


@torch.no_grad()
def canonical_observations(
    photo: Tensor, face: Face, rasterize: Rasterizer
) -> CanonicalObservations:
    """The photos (B, 3, S, S) unwrapped onto the canonical `face` that a model predicted."""
    size = photo.shape[-1]
    where = project(move(unproject(face.depth), face.view), size)
    inside = ((where[:, :2] > 0) & (where[:, :2] < size - 1)).all(1, keepdim=True)
    nearest = warp_depth(face.depth, face.view, size, rasterize)
    shown = warp_to_canonical(torch.cat([photo, nearest], 1), face.depth, face.view)
    front = (where[:, 2:] - shown[:, 3:]).abs() < NEARLY
    turn = rotation(face.view[:, :3])
    facing = -torch.einsum("bij,bjhw->bihw", turn, normals(face.depth))[:, 2:]
    light = face.light.direction
    return CanonicalObservations(
        shown[:, :3].mean(1, keepdim=True).clamp(min=DARKEST).log(),
        (front & (facing > SLANTED) & inside).float(),
        light[:, :2] / -light[:, 2:].clamp(max=-0.3),
        face.depth.mean(0, keepdim=True),
    )
