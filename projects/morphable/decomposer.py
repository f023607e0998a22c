"""A linear face model fitted by a network that sees photos alone (MoFA, Tewari et al., ICCV 2017).

The network gives coefficients, light and view; the linear model makes a mesh of them, which is
drawn once on the canonical grid. Whatever follows in the toolbox sees an ordinary `Face`. What
differs from the paper: Lambertian light in place of spherical harmonics, a perceptual loss, no
landmarks, and a small network.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from l2rkit.decompose.networks import Encoder
from l2rkit.decompose.photos import check_photo
from l2rkit.decompose.unsup3d import light_from_code
from l2rkit.errors import ConfigError
from l2rkit.geometry import move, project
from l2rkit.registry import DECOMPOSERS
from l2rkit.render.mesh_raster import rasterize_mesh
from l2rkit.structures import FAR, NEAR, Confidence, Face

from .linear import learnt

SIGMAS = 3.0  # coefficients stay within as many standard deviations
BACKDROP = 0.5  # albedo where no face is
ON_FACE, ELSEWHERE = 0.15, 1e3  # scales of errors: photos are explained on the face alone


@dataclass(frozen=True, eq=False, repr=False)
class MorphableFace(Face):
    """A face that remembers its coefficients: codes (B, I + E + C) in standard deviations."""

    codes: Tensor | None = None


@DECOMPOSERS.register_module()
class MorphableDecomposer(nn.Module):
    """Identity, expression, albedo, light and view of a photo, of one network.

    Args:
        image_size: pixels of the photo and of the canonical maps: 32, 64 or 128.
        width: channels after the network's first stage.
        identity, expression, colours: numbers of modes.
        max_rotation_deg: largest turn about each axis.
        max_shift: largest shift along x, y and z, in units of depth.

    Where no face is, depth is `FAR` and the albedo grey. The modes are part of the weights.
    """

    supervision = ("3D",)  # the modes are those of heads whose shapes are known

    def __init__(
        self,
        image_size: int = 64,
        width: int = 16,
        identity: int = 40,
        expression: int = 12,
        colours: int = 24,
        max_rotation_deg: float = 60.0,
        max_shift: tuple[float, float, float] = (0.02, 0.02, 0.02),
    ) -> None:
        super().__init__()
        if min(identity, expression, colours) < 1:
            got = f"identity={identity}, expression={expression}, colours={colours}"
            raise ConfigError(
                f"MorphableDecomposer expects at least one mode of each kind, not {got}"
            )
        self.image_size = image_size
        self.counts = [identity, expression, colours]
        faces = learnt(identity, expression, colours)
        self.triangles = faces.triangles
        for name in ("points", "identity", "expression", "colour", "colours"):
            self.register_buffer(name, torch.from_numpy(getattr(faces, name)))
        self.network = Encoder(sum(self.counts) + 4 + 6, image_size, width)
        self.network.start_near_zero(0.1)  # the mean face, from ahead
        view_limits = torch.tensor([math.radians(max_rotation_deg)] * 3 + list(max_shift))
        self.register_buffer("view_limits", view_limits, persistent=False)

    def forward(self, photo: Tensor, person: Tensor | None = None) -> MorphableFace:
        """The face in `photo` (B, 3, image_size, image_size); `person` is not used."""
        check_photo(self, photo)
        codes, light, view = self.network(photo * 2 - 1).split([sum(self.counts), 4, 6], 1)
        codes, view = codes * SIGMAS, view * self.view_limits
        points, colours = self.mesh(codes)
        depth, albedo = drawn(points, colours, self.triangles, self.image_size)
        return MorphableFace(
            depth=depth,
            albedo=albedo,
            light=light_from_code(light),
            view=view,
            confidence=self._confidence(points, view) if self.training else None,
            codes=codes,
        )

    def mesh(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Vertices and their colours, (B, V, 3) each, of coefficients (B, I + E + C)."""
        who, how, hue = codes.split(self.counts, 1)
        points = self.points + torch.einsum("bk,kvi->bvi", who, self.identity)
        points = points + torch.einsum("bk,kvi->bvi", how, self.expression)
        return points, self.colour + torch.einsum("bk,kvi->bvi", hue, self.colours)

    @torch.no_grad()
    def _confidence(self, points: Tensor, view: Tensor) -> Confidence:
        """Errors count where the mesh is seen in the photo, and nowhere else."""
        moved = move(points.mT[..., None], view)[..., 0].mT
        size = self.image_size
        seen = (seen_triangles(on_screen(moved, size), self.triangles, size) >= 0).float()[:, None]
        pixel = torch.where(seen > 0, ON_FACE, ELSEWHERE).expand(-1, 2, -1, -1)
        cells = torch.nn.functional.avg_pool2d(seen, 4) > 0.5
        return Confidence(pixel, torch.where(cells, ON_FACE, ELSEWHERE).expand(-1, 2, -1, -1))


def drawn(
    points: Tensor, colours: Tensor, triangles: np.ndarray, size: int
) -> tuple[Tensor, Tensor]:
    """Depth (B, 1, S, S) and albedo (B, 3, S, S) of a mesh with vertices and colours (B, V, 3).

    Which triangle a pixel sees is taken as fixed; gradients reach points and colours through the
    perspective-correct weights of its corners.
    """
    screen = on_screen(points, size)
    face = seen_triangles(screen, triangles, size)
    item, y, x = (face >= 0).nonzero(as_tuple=True)
    corners = torch.from_numpy(triangles).long().to(points.device)[face[item, y, x]]
    p, q, r = (screen[item, corner] for corner in corners.unbind(1))
    area = cross(p, q, r[:, 0], r[:, 1])
    share = torch.stack([cross(q, r, x, y) / area, cross(r, p, x, y) / area], 1)
    share = torch.cat([share, 1 - share.sum(1, keepdim=True)], 1)
    inverse = share / torch.stack([p[:, 2], q[:, 2], r[:, 2]], 1)
    z = 1 / inverse.sum(1, keepdim=True)
    colour = ((inverse * z)[..., None] * colours[item[:, None], corners]).sum(1)
    maps = points.new_tensor([FAR, *[BACKDROP] * 3]).expand(*face.shape, 4)
    maps = maps.index_put((item, y, x), torch.cat([z, colour], 1)).permute(0, 3, 1, 2)
    return maps[:, :1].clamp(NEAR, FAR), maps[:, 1:].clamp(0, 1)


def on_screen(points: Tensor, size: int) -> Tensor:
    """(B, V, 3): column and row in pixels, and depth, of points (B, V, 3)."""
    return project(points.mT[..., None], size)[..., 0].mT


def seen_triangles(screen: Tensor, triangles: np.ndarray, size: int) -> Tensor:
    """(B, S, S): the number of the nearest triangle at each pixel, or -1. On the CPU."""
    meshes = screen.detach().cpu().numpy().astype(np.float32)
    faces = np.stack([rasterize_mesh(mesh.copy(), triangles, size)[0] for mesh in meshes])
    return torch.from_numpy(faces).long().to(screen.device)


def cross(p: Tensor, q: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(P,): twice the signed area of the triangles from p over q, (P, 3) each, to (x, y)."""
    return (q[:, 0] - p[:, 0]) * (y - p[:, 1]) - (q[:, 1] - p[:, 1]) * (x - p[:, 0])
