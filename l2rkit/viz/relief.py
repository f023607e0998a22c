"""Displacement as the normal map of a material."""

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from ..geometry import cross, normals, unproject
from ..structures import Face


def base_depth(face: Face) -> Tensor:
    """(B, 1, H, W): the depth without the displacement."""
    return face.depth if face.displacement is None else face.depth - face.displacement


def relief(face: Face) -> Tensor:
    """(B, 3, H, W) in [0, 1]: normals with displacement in the basis of those without; 0.5 is 0.

    Red is along the texture's u, green upwards, blue along the normal without displacement: glTF's
    convention. Without tangents in the file, viewers derive them from positions and texture
    coordinates by MikkTSpace, as `basis` does.
    """
    axes = basis(normals(base_depth(face)), unproject(face.depth))
    return torch.einsum("bkchw,bchw->bkhw", axes, normals(face.depth)) / 2 + 0.5


def basis(normal: Tensor, points: Tensor) -> Tensor:
    """(B, 3, 3, H, W): tangent, bitangent, normal at each point.

    The tangent is the direction of growing u, made perpendicular to `normal` (B, 3, H, W); the
    bitangent points up in the picture. points (B, 3, H, W).
    """
    along = pad(points[..., 2:] - points[..., :-2], (1, 1, 0, 0), mode="replicate")
    tangent = normalize(along - (along * normal).sum(1, keepdim=True) * normal, dim=1, eps=1e-24)
    return torch.stack([tangent, cross(normal, tangent), normal], 1)
