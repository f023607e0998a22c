"""Faces as meshes: the canonical surface in its colours, whole, cropped or closed, to scale."""

import math

import numpy as np
import trimesh
from PIL import Image
from torch import Tensor
from trimesh.visual.material import PBRMaterial

from ..errors import UserError
from ..face import PIVOT, Face, each_tensor
from ..geometry import grid_triangles, normals, unproject
from .closing import closed
from .region import face_cells
from .relief import base_depth, relief

UPRIGHT = np.array([1.0, -1.0, -1.0])  # from our axes to glTF's: y up, z towards the viewer
TOWARDS_BACK = (0.0, 0.0, 1.0)


def mesh_of(
    face: Face,
    index: int = 0,
    crop_background: bool = False,
    watertight: bool = False,
    width_mm: float | None = None,
) -> trimesh.Trimesh:
    """A textured mesh of one face of the batch: the canonical face with its displacement.

    The albedo is its base colour; texture coordinates are pixel centres. Axes are those of glTF: x
    right, y up, z towards the viewer, the pivot of views at the origin. A vertex's normal is that
    of the depth without displacement, and a normal map adds what the displacement does.

    crop_background: only the face, see `face_cells`.
    watertight: closed by walls and a flat back, to be printed; without a normal map.
    width_mm: so wide is the face (what `crop_background` leaves of the front), and the unit is the
        millimetre. A photo does not tell sizes, so this is yours to know. By default units are
        those of depth: the pivot is 1 from the camera, and a face about 0.15 wide.

    Raises:
        ValueError: depth or albedo is not finite.
        UserError: there is no face to be cropped to or measured, or width_mm is not positive.
    """
    if width_mm is not None and not 0 < width_mm < math.inf:
        raise UserError(f"a mesh wants a width_mm above 0, not {width_mm}")
    face = each_tensor(face, lambda tensor: tensor[index : index + 1].detach().cpu().float())
    _check_finite(face)
    size, cells = face.size, None
    if crop_background or width_mm is not None:
        cells = face_cells(face.depth)
    triangles = grid_triangles(size, size).numpy()
    front = triangles if cells is None else triangles[cells.ravel().repeat(2)]
    points = table(unproject(face.depth))
    scale = 1 if width_mm is None else width_mm / np.ptp(points[np.unique(front), 0])
    used = front if crop_background else triangles
    normal, uv = table(normals(base_depth(face))), grid_uv(size)
    if watertight:
        points, used = closed(points, used)
        normal = np.concatenate([normal, np.tile(TOWARDS_BACK, (len(normal), 1))])
        uv = np.tile(uv, (2, 1))
    kept, used = np.unique(used, return_inverse=True)
    mesh = trimesh.Trimesh(
        (points[kept] - PIVOT) * UPRIGHT * scale,
        used.reshape(-1, 3),
        vertex_normals=normal[kept] * UPRIGHT,
        visual=trimesh.visual.TextureVisuals(uv[kept], material=material(face, not watertight)),
        process=False,
    )
    mesh.units = None if width_mm is None else "mm"
    return mesh


def material(face: Face, with_relief: bool = True) -> PBRMaterial:
    """What the surface of a face, a batch of one, looks like: rough, its albedo as base colour."""
    bumps = relief(face) if with_relief and face.displacement is not None else None
    return PBRMaterial(
        baseColorTexture=Image.fromarray(to_bytes(face.albedo[0])),
        normalTexture=None if bumps is None else Image.fromarray(to_bytes(bumps[0])),
        metallicFactor=0.0,
        roughnessFactor=1.0,
    )


def table(maps: Tensor) -> np.ndarray:
    """(H W, C) float64: one row for each pixel of maps (1, C, H, W)."""
    return maps[0].flatten(1).T.double().numpy()


def grid_uv(size: int) -> np.ndarray:
    """(size^2, 2): texture coordinates of the pixel centres, v upwards."""
    line = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(line, 1 - line)
    return np.stack([u.ravel(), v.ravel()], 1)


def to_bytes(image: Tensor) -> np.ndarray:
    """(H, W, 3) uint8 from (3, H, W) in [0, 1]; what lies outside is clipped."""
    return (image.detach().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def _check_finite(face: Face) -> None:
    for name in ("depth", "albedo"):
        value = getattr(face, name)
        wrong = int((~value.isfinite()).sum())
        if wrong:
            raise ValueError(f"mesh_of: {wrong} of {value.numel()} values of {name} not finite")
