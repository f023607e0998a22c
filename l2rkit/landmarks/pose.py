"""Pose and canonical shape from landmarks.

Landmarks are px of a square photo, with z in the same unit; points are in space, in the frame and
the camera of `l2rkit.structures`.
"""

import torch
from torch import Tensor

from ..geometry import angles, focal, in_float32
from ..structures import PIVOT
from .points import MEAN_FACE


@in_float32
def canonical_points(landmarks: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """view (B, 6) and canonical points (B, K, 3) of landmarks (B, K, 3) of a photo `size` px wide.

    The canonical points, moved by the view, project exactly to the landmarks. The rotation is the
    Procrustes fit of the mean face to them, up to scale. The last translation is 0, so faces keep
    their size.
    """
    reference = torch.as_tensor(MEAN_FACE).to(landmarks)
    seen = unproject_landmarks(landmarks, size)
    turn = rotation_between(reference, seen)
    middle, pivot = seen.mean(1), landmarks.new_tensor(PIVOT)
    arm = turn @ (reference.mean(0) - pivot)  # from the pivot to the middle of the turned face
    scale = (pivot[2] + arm[:, 2]) / middle[:, 2]  # so that the pivot stays at its depth
    shift = scale[:, None] * middle - arm - pivot
    moved = seen * scale[:, None, None] - (pivot + shift)[:, None]
    return torch.cat([angles(turn), shift], 1), moved @ turn + pivot


def unproject_landmarks(landmarks: Tensor, size: int) -> Tensor:
    """(B, K, 3): landmarks (B, K, 3) px as points in space, up to one factor per photo.

    Depth is 1 where z is 0.
    """
    depth = 1 + landmarks[..., 2:] / focal(size)
    across = (landmarks[..., :2] - (size - 1) / 2) / focal(size)
    return torch.cat([across * depth, depth], -1)


def project_points(points: Tensor, size: int) -> Tensor:
    """(B, K, 3): column and row in px of a picture `size` wide, and depth, of points (B, K, 3)."""
    across = points[..., :2] / points[..., 2:] * focal(size) + (size - 1) / 2
    return torch.cat([across, points[..., 2:]], -1)


def rotation_between(reference: Tensor, points: Tensor) -> Tensor:
    """(B, 3, 3): the rotation of `reference` (K, 3) that best fits points (B, K, 3).

    Kabsch's algorithm: least squares of centred points, without reflections.
    """
    centred = points - points.mean(1, keepdim=True)
    u, _, v = torch.linalg.svd(centred.mT @ (reference - reference.mean(0)))
    sign = torch.ones_like(centred[:, 0])
    sign[:, 2] = torch.linalg.det(u @ v).sign()
    return u * sign[:, None] @ v
