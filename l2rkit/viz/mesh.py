"""Faces as mesh files."""

import numpy as np
import trimesh
from PIL import Image
from torch import Tensor

from ..face import Face
from ..geometry import grid_triangles, unproject


def glb(face: Face, index: int = 0) -> bytes:
    """A textured mesh of one face of the batch, in glTF's binary form.

    The canonical face with its displacement, its albedo as base colour; axes as glTF has them: x
    right, y up, z towards the viewer, the pivot of views at the origin. Units are those of depth:
    a face is about 0.15 wide.
    """
    points = unproject(face.depth[index : index + 1].detach().cpu())[0]
    vertices = points.permute(1, 2, 0).reshape(-1, 3).numpy() - (0, 0, 1)
    size = face.size
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=Image.fromarray(to_bytes(face.albedo[index])),
        metallicFactor=0.0,
        roughnessFactor=1.0,
    )
    mesh = trimesh.Trimesh(
        vertices * (1, -1, -1),
        grid_triangles(size, size).numpy(),
        visual=trimesh.visual.TextureVisuals(uv=grid_uv(size), material=material),
        process=False,
    )
    return mesh.export(file_type="glb")


def grid_uv(size: int) -> np.ndarray:
    """(size^2, 2): texture coordinates of the pixel centres, v upwards."""
    line = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(line, 1 - line)
    return np.stack([u.ravel(), v.ravel()], 1)


def to_bytes(image: Tensor) -> np.ndarray:
    """(H, W, 3) uint8 from (3, H, W) in [0, 1]; what lies outside is clipped."""
    return (image.detach().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
