"""Crops of faces in any view: identity networks know faces by where their features lie."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ..data.crops import TEMPLATE
from ..geometry import focal, in_float32, move, project
from ..landmarks import FaceMesh
from ..landmarks.points import MEAN_FACE, five_points
from ..structures import Face

LARGEST_CHANGE = 2.0  # of a face's size; landmarks that want more are not those of a face


@in_float32
def aligned_crops(picture: Tensor, points: Tensor) -> Tensor:
    """(B, C, S, S): pictures (B, C, S, S) whose points (B, 5, 2) px come to rest at `TEMPLATE`.

    As `CropByLandmarks` cuts photos, but bilinear; the edge is continued. Gradients reach the
    picture. One whose points want its size changed by more than `LARGEST_CHANGE`, or want it half
    a picture away, stays as it is: there is no face in it.
    """
    size = picture.shape[-1]
    target = torch.as_tensor(TEMPLATE * size - 0.5, dtype=torch.float32, device=picture.device)
    p, q = (torch.view_as_complex(each.float().contiguous()) for each in (points, target))
    # Least squares: q = a p + b of complex numbers is a similarity (see `fit_similarity`).
    off, wanted = p - p.mean(1, keepdim=True), q - q.mean()
    a = (off.conj() * wanted).sum(1) / off.abs().square().sum(1).clamp(min=1e-6)
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
    """(B, 5, 2): where the mean face's eyes, nose tip and mouth corners lie on each face, in px.

    Of a picture `size` wide that shows the face in its view. Passes no gradient.
    """
    flat = MEAN_FACE / MEAN_FACE[:, 2:]
    at = torch.as_tensor(five_points(flat), dtype=torch.float32, device=face.depth.device)
    grid = (at * (2 * focal(face.size) / (face.size - 1))).expand(len(face), 1, 5, 2)
    depth = grid_sample(face.depth.detach().float(), grid, align_corners=True)  # (B, 1, 1, 5)
    rays = torch.cat([at.T, torch.ones_like(at.T[:1])])[None, :, None]  # (1, 3, 1, 5)
    seen = project(move(depth * rays, face.view.detach()), size)
    return seen[:, :2, 0].mT


def found_points(picture: Tensor, landmarks: FaceMesh) -> Tensor:
    """(B, 5, 2) px: the same, as a detector of landmarks finds them in pictures (B, 3, S, S)."""
    photos = (picture * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    found = landmarks([np.ascontiguousarray(photo) for photo in photos])
    return torch.from_numpy(five_points(np.asarray(found)))
