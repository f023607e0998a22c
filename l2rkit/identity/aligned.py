"""Crops of faces in any view, aligned for identity networks."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ..data.crops import TEMPLATE
from ..geometry import focal, in_float32, move, project
from ..landmarks import FaceMesh
from ..landmarks.points import MEAN_FACE, five_points
from ..structures import Face

LARGEST_CHANGE = 2.0  # factor of a face's size; landmarks beyond it are not those of a face


@in_float32
def aligned_crops(picture: Tensor, points: Tensor) -> Tensor:
    """(B, C, S, S): pictures (B, C, S, S) moved so that points (B, 5, 2) px fit `TEMPLATE`.

    A similarity transform as in `CropByLandmarks`, but bilinear; the border is replicated.
    Gradients reach the picture. A picture whose fit changes the size by more than
    `LARGEST_CHANGE`, or moves it by half a picture or more, is returned as it is: its landmarks are
    not those of a face.
    """
    size = picture.shape[-1]
    target = torch.as_tensor(TEMPLATE * size - 0.5, dtype=torch.float32, device=picture.device)
    p, q = (torch.view_as_complex(each.float().contiguous()) for each in (points, target))
    # Least squares: q = a p + b of complex numbers is a similarity (see `fit_similarity`).
    off, expected = p - p.mean(1, keepdim=True), q - q.mean()
    a = (off.conj() * expected).sum(1) / off.abs().square().sum(1).clamp(min=1e-6)
    b = q.mean() - a * p.mean(1)
    middle = (size - 1) / 2 * (1 + 1j)
    face = (a.abs() > 1 / LARGEST_CHANGE) & (a.abs() < LARGEST_CHANGE)
    face &= (a * middle + b - middle).abs() < size / 2
    a, b = torch.where(face, a, torch.ones_like(a)), torch.where(face, b, torch.zeros_like(b))
    line = torch.arange(size, dtype=torch.float32, device=picture.device)
    here = torch.complex(line.expand(size, size), line[:, None].expand(size, size))
    there = torch.view_as_real((here - b[:, None, None]) / a[:, None, None])
    grid = there * (2 / (size - 1)) - 1
    return grid_sample(picture, grid, mode="bilinear", padding_mode="border", align_corners=True)


def points_of(face: Face, size: int) -> Tensor:
    """(B, 5, 2): px of the eyes, nose tip and mouth corners of each face in its view.

    They are at the mean face's places on the canonical depth map, projected into a picture of
    `size` px. Passes no gradient.
    """
    flat = MEAN_FACE / MEAN_FACE[:, 2:]
    at = torch.as_tensor(five_points(flat), dtype=torch.float32, device=face.depth.device)
    grid = (at * (2 * focal(face.size) / (face.size - 1))).expand(len(face), 1, 5, 2)
    depth = grid_sample(face.depth.detach().float(), grid, align_corners=True)  # (B, 1, 1, 5)
    rays = torch.cat([at.T, torch.ones_like(at.T[:1])])[None, :, None]  # (1, 3, 1, 5)
    seen = project(move(depth * rays, face.view.detach()), size)
    return seen[:, :2, 0].mT


def found_points(picture: Tensor, landmarks: FaceMesh) -> Tensor:
    """(B, 5, 2): px of the same points as `landmarks` finds them in pictures (B, 3, S, S)."""
    photos = (picture * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    found = landmarks([np.ascontiguousarray(photo) for photo in photos])
    return torch.from_numpy(five_points(np.asarray(found)))
