"""Rays, points, normals, views. Pure functions on the conventions of `l2rkit.structures`.

Points are (B, 3, H, W), like images. The camera, the rotation order and the normals from central
differences are Unsup3D's (Wu et al., CVPR 2020, section 3.2); the sign of normals is ours.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import wraps

import torch
from torch import Tensor
from torch.nn.functional import pad

from .ops.resize import aligned as aligned
from .ops.transfer import constant
from .structures import (
    FIELD_OF_VIEW_DEG,
    MIRRORED_LIGHT,
    MIRRORED_VIEW,
    PIVOT,
    Confidence,
    Face,
    Light,
)


def in_float32(function: Callable) -> Callable:
    """Runs `function` without autocast, as half precision is too coarse for pixel coordinates.

    Its first argument is a tensor. Inputs that are in half precision already stay so.
    """

    @wraps(function)
    def run(first: Tensor, *others, **named):
        with torch.autocast(first.device.type, enabled=False):
            return function(first, *others, **named)

    return run


def focal(size: int) -> float:
    """Focal length in pixels of a picture that is `size` pixels wide."""
    return (size - 1) / 2 / math.tan(math.radians(FIELD_OF_VIEW_DEG / 2))


def rays(size: int, like: Tensor, supersample: int = 1) -> Tensor:
    """(1, 3, size, size): through each pixel centre, the point at depth 1.

    With `supersample` k, through the centres of k by k parts of each pixel: (1, 3, k size, k size).
    """
    fine = torch.arange(size * supersample, dtype=like.dtype, device=like.device)
    column = (fine + 0.5) / supersample - 0.5
    line = (column - (size - 1) / 2) / focal(size)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)])[None]


def unproject(depth: Tensor, supersample: int = 1) -> Tensor:
    """(B, 3, H, W): the points at `depth` (B, 1, H, W), which may have k by k parts per pixel.

    Unsup3D's `depth_to_3d_grid`.
    """
    return depth * rays(depth.shape[-1] // supersample, depth, supersample)


def project(points: Tensor, size: int) -> Tensor:
    """(B, 3, H, W): column and row in pixels of a picture `size` wide, and depth, of `points`."""
    x, y, z = points.unbind(1)
    scale, centre = focal(size), (size - 1) / 2
    return torch.stack([x / z * scale + centre, y / z * scale + centre, z], 1)


def rotation(angles: Tensor) -> Tensor:
    """(B, 3, 3): Rz Ry Rx of `angles` (B, 3) in radians about x, y, z."""
    (sx, sy, sz), (cx, cy, cz) = angles.sin().unbind(-1), angles.cos().unbind(-1)
    rows = [
        cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx,
        sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx,
        -sy, cy * sx, cy * cx,
    ]  # fmt: skip
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def angles(rotation: Tensor) -> Tensor:
    """(B, 3): the angles in radians of rotations (B, 3, 3), the inverse of `rotation`.

    The turn about y is at most a right angle to either side.
    """
    rx = torch.atan2(rotation[:, 2, 1], rotation[:, 2, 2])
    ry = -rotation[:, 2, 0].clamp(-1, 1).asin()
    return torch.stack([rx, ry, torch.atan2(rotation[:, 1, 0], rotation[:, 0, 0])], 1)


@in_float32
def move(points: Tensor, view: Tensor) -> Tensor:
    """(B, 3, H, W): canonical `points` mapped to the camera frame by `view` (B, 6)."""
    pivot = _pivot(points)
    turned = torch.einsum("bij,bjhw->bihw", rotation(view[:, :3]), points - pivot)
    return turned + pivot + view[:, 3:, None, None]


@in_float32
def move_back(points: Tensor, view: Tensor) -> Tensor:
    """(B, 3, H, W): the inverse of `move`."""
    pivot = _pivot(points)
    turned = points - view[:, 3:, None, None] - pivot
    return torch.einsum("bji,bjhw->bihw", rotation(view[:, :3]), turned) + pivot


def normals(depth: Tensor) -> Tensor:
    """(B, 3, H, W): unit normals of `depth` (B, 1, H, W), facing the camera.

    From central differences of the points; the outermost pixels, which have no neighbours on one
    side, get (0, 0, -1). Unsup3D's `get_normal_from_depth`.
    """
    points = unproject(depth)
    along_x = points[:, :, 1:-1, 2:] - points[:, :, 1:-1, :-2]
    along_y = points[:, :, 2:, 1:-1] - points[:, :, :-2, 1:-1]
    across = cross(along_y, along_x)
    inner = across * across.square().sum(1, keepdim=True).clamp(min=1e-24).rsqrt()
    sides = [pad(inner[:, :2], (1, 1, 1, 1)), pad(inner[:, 2:], (1, 1, 1, 1), value=-1.0)]
    return torch.cat(sides, 1)


def cross(a: Tensor, b: Tensor) -> Tensor:
    """(B, 3, ...): the cross product of vectors along the second dimension.

    On a CPU several times as fast as torch's own.
    """
    ax, ay, az = a.unbind(1)
    bx, by, bz = b.unbind(1)
    return torch.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], 1)


def view_of(yaw_deg: float = 0.0, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> Tensor:
    """(6,): the view with these angles in degrees and no shift.

    Yaw turns about y, pitch about x, roll about z.
    """
    angles = [math.radians(angle) for angle in (pitch_deg, yaw_deg, roll_deg)]
    return torch.tensor([*angles, 0.0, 0.0, 0.0])


def reflected(face: Face) -> Face:
    """The face as the mirror image of its photo shows it; twice gives the face itself."""
    light, sure = face.light.packed(), face.confidence
    if sure is not None:
        sure = Confidence(sure.pixel.flip(-1), sure.feature.flip(-1))
    return replace(
        face.mirrored(),
        light=Light.unpacked(light * constant(MIRRORED_LIGHT, light)),
        view=reflected_view(face.view),
        confidence=sure,
    )


def reflected_view(view: Tensor) -> Tensor:
    """(B, 6): the views in the mirror images of photos whose views are `view`."""
    return view * constant(MIRRORED_VIEW, view)


def grid_triangles(height: int, width: int) -> Tensor:
    """(2 (H - 1) (W - 1), 3): vertices of the two triangles of each cell of a grid, row by row.

    The first of a cell has its upper left corner, the second its lower right one; seen from ahead,
    both turn counter-clockwise.
    """
    vertex = torch.arange(height * width).view(height, width)
    p, q, r, s = vertex[:-1, :-1], vertex[:-1, 1:], vertex[1:, :-1], vertex[1:, 1:]
    return torch.stack([torch.stack([p, r, q], -1), torch.stack([q, r, s], -1)], 2).view(-1, 3)


def _pivot(points: Tensor) -> Tensor:
    return constant(PIVOT, points)[:, None, None]
