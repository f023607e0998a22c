"""Makes textured meshes of faces: open or closed, in units of depth or millimetres."""

import math

import numpy as np
import torch
import trimesh
from PIL import Image
from torch import Tensor
from trimesh.visual.material import PBRMaterial

from ..errors import UserError
from ..geometry import grid_triangles, normals, unproject
from ..ops.resize import aligned
from ..structures import PIVOT, Face, each_tensor
from .closing import closed, rim
from .cut import cut
from .region import face_level
from .relief import base_depth, relief

UPRIGHT = np.array([1.0, -1.0, -1.0])  # from our axes to glTF's: y up, z towards the viewer
TOWARDS_BACK = (0.0, 0.0, 1.0)
IN_FRONT = "triangles in front"  # key in the metadata of a closed mesh
STRIP = 1 / 32  # height of the strip for walls and back, as a share of the texture's width


def mesh_of(
    face: Face,
    index: int = 0,
    keep_background: bool = False,
    watertight: bool = False,
    width_mm: float | None = None,
    texture: Tensor | None = None,
) -> trimesh.Trimesh:
    """A textured mesh of one face of the batch: the canonical face with its displacement.

    The albedo is the base colour; texture coordinates are at pixel centres. Axes are those of glTF:
    x right, y up, z towards the viewer; the origin is the pivot of views. The normals of vertices
    are those of the depth without displacement; a normal map adds the displacement's.

    keep_background: keeps the whole canonical map; by default only the face, see `face_level`.
    watertight: closes the mesh with walls and a flat back, for printing, without a normal map. The
        metadata has the number of triangles in front; the others have one colour, see
        `with_plain_strip`.
    width_mm: width of the face without background; the unit is then the millimetre. A photo does
        not show sizes. By default units are those of depth: the pivot is at distance 1 from the
        camera, and a face is about 0.15 wide.
    texture: colours (1, 3, N, N) in place of the albedo, see `l2rkit.viz.texture`.

    Raises:
        ValueError: depth or albedo is not finite.
        UserError: width_mm is not positive.
    """
    if width_mm is not None and not 0 < width_mm < math.inf:
        raise UserError(f"a mesh requires a width_mm above 0, not {width_mm}")
    face = each_tensor(face, lambda tensor: tensor[index : index + 1].detach().cpu().float())
    _check_finite(face)
    texture = face.albedo if texture is None else texture
    uv = grid_uv(face.size, texture.shape[-1])
    maps = table(unproject(face.depth)), table(normals(base_depth(face))), uv
    triangles = grid_triangles(face.size, face.size).numpy()
    front = cut(triangles, face_level(face.depth, face.region).ravel())
    scale = 1 if width_mm is None else width_mm / np.ptp(front.of(maps[0])[:, 0])
    if not keep_background:
        maps, triangles = [front.of(values) for values in maps], front.triangles
    points, normal, uv = maps
    in_front = len(triangles)
    if watertight:
        texture, uv, plain = with_plain_strip(texture, uv, rim(triangles)[:, 0])
        points, triangles = closed(points, triangles)
        normal = np.concatenate([normal, np.tile(TOWARDS_BACK, (len(normal), 1))])
        uv = np.concatenate([uv, np.tile(plain, (len(uv), 1))])
    mesh = trimesh.Trimesh(
        (points - PIVOT) * UPRIGHT * scale,
        triangles,
        vertex_normals=normal / np.linalg.norm(normal, axis=1, keepdims=True) * UPRIGHT,
        visual=trimesh.visual.TextureVisuals(uv, material(face, texture, not watertight)),
        process=False,
    )
    mesh.units = None if width_mm is None else "mm"
    if watertight:
        mesh.metadata[IN_FRONT] = in_front
    return mesh


def material(face: Face, texture: Tensor, with_relief: bool = True) -> PBRMaterial:
    """The material of a face (a batch of one): rough, with the texture as base colour."""
    bumps = None
    if with_relief and face.displacement is not None:
        bumps = aligned(relief(face), texture.shape[-1])  # both have the mesh's coordinates
    return PBRMaterial(
        baseColorTexture=Image.fromarray(to_bytes(texture[0])),
        normalTexture=None if bumps is None else Image.fromarray(to_bytes(bumps[0])),
        metallicFactor=0.0,
        roughnessFactor=1.0,
    )


def with_plain_strip(
    texture: Tensor, uv: np.ndarray, edge: np.ndarray
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """The texture with a strip of one colour below it, for the walls and back of a mesh.

    Takes texture (1, 3, N, N); uv (V, 2) of vertices, v upwards; edge: indices of the vertices at
    the rim. Returns the texture (1, 3, N + strip, N), the vertices' uv (V, 2) in it, and (2,) the
    middle of the strip, which has the mean colour of the rim.
    """
    size = texture.shape[-1]
    strip = max(4, round(size * STRIP))
    column, row = (uv[edge] * size - 0.5).round().astype(int).clip(0, size - 1).T
    colour = texture[..., size - 1 - row, column].mean(-1)[..., None, None]
    taller = torch.cat([texture, colour.expand(-1, -1, strip, size)], 2)
    share = size / (size + strip)
    placed = uv * [1, share] + [0, 1 - share]
    return taller, placed, np.array([0.5, (1 - share) / 2])


def table(maps: Tensor) -> np.ndarray:
    """(H W, C) float64: one row for each pixel of maps (1, C, H, W)."""
    return maps[0].flatten(1).T.double().numpy()


def grid_uv(size: int, texture: int) -> np.ndarray:
    """(size^2, 2): texture coordinates of pixels in a texture `texture` px wide, v upwards.

    The outermost pixel centres of both coincide, as in `l2rkit.ops.resize.aligned`.
    """
    line = (np.linspace(0, texture - 1, size) + 0.5) / texture
    u, v = np.meshgrid(line, 1 - line)
    return np.stack([u.ravel(), v.ravel()], 1)


def to_bytes(image: Tensor) -> np.ndarray:
    """(H, W, 3) uint8 from (3, H, W) in [0, 1]; values outside are clipped."""
    return (image.detach().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def _check_finite(face: Face) -> None:
    for name in ("depth", "albedo"):
        value = getattr(face, name)
        wrong = int((~value.isfinite()).sum())
        if wrong:
            raise ValueError(f"mesh_of: {wrong} of {value.numel()} values of {name} not finite")
