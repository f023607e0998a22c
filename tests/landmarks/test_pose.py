"""View and shape are recovered from landmarks of known ones."""

import math

import pytest
import torch

from l2rkit.geometry import angles, move, rotation
from l2rkit.landmarks.points import MEAN_FACE, TRIANGLES
from l2rkit.landmarks.pose import (
    canonical_points,
    project_points,
    rotation_between,
)
from l2rkit.landmarks.surface import RIM, canonical_depth, continued, mesh_depth
from l2rkit.render import GridRenderer
from l2rkit.structures import Face, Light

SIZE = 64
MEAN = torch.from_numpy(MEAN_FACE).double()


def landmarks_of(points: torch.Tensor, view: torch.Tensor, level: float = 0.0) -> torch.Tensor:
    """(B, K, 3) px: what a detector would say of canonical points (B, K, 3) in a view.

    `level`: where its z is 0, in px; detectors do not agree on it.
    """
    seen = move(points.mT[..., None], view)[..., 0].mT
    px = project_points(seen, SIZE)
    # z in pixels at the depth of z = 0, which is the pivot's plus the level
    unit = 1 / ((SIZE - 1) / 2 / math.tan(math.radians(5)))
    nought = 1 + level * unit
    z = (seen[..., 2:] / nought - 1) / unit
    return torch.cat([px[..., :2], z], -1)


VIEWS = torch.tensor(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.1, 0.5, -0.2, 0.01, -0.01, 0.0],
        [-0.2, -0.9, 0.3, -0.02, 0.005, 0.0],
    ]
).double()


@pytest.mark.parametrize("level", [0.0, -8.0, 5.0])
def test_the_view_of_the_mean_face_is_found_wherever_z_begins(level):
    points = MEAN.expand(3, -1, -1)
    view, found = canonical_points(landmarks_of(points, VIEWS, level), SIZE)
    torch.testing.assert_close(view, VIEWS, atol=1e-9, rtol=0)
    torch.testing.assert_close(found, points, atol=1e-9, rtol=0)


def test_other_faces_come_back_in_their_own_shape():
    torch.manual_seed(0)
    points = MEAN + 0.002 * torch.randn(3, 468, 3).double()
    landmarks = landmarks_of(points, VIEWS)
    view, found = canonical_points(landmarks, SIZE)
    # what was found, seen in the view that was found, is where the landmarks are
    seen = move(found.mT[..., None], view)[..., 0].mT
    torch.testing.assert_close(project_points(seen, SIZE)[..., :2], landmarks[..., :2])
    turn = rotation(view[:, :3]).mT @ rotation(VIEWS[:, :3])
    off = ((turn.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1).acos()
    assert off.rad2deg().max() < 0.5


def test_the_rotation_is_the_best_of_many():
    torch.manual_seed(1)
    points = MEAN @ rotation(VIEWS[1:2, :3])[0].T + 0.01 * torch.randn(1, 468, 3).double()
    best = rotation_between(MEAN, points)

    def error(turn: torch.Tensor) -> float:
        centred = points - points.mean(1, keepdim=True)
        return float(((MEAN - MEAN.mean(0)) @ turn.mT - centred).square().sum())

    assert torch.linalg.det(best).item() == pytest.approx(1)
    least = error(best)
    for _ in range(200):
        other = best @ rotation(0.05 * torch.randn(1, 3).double())
        assert error(other) > least


def test_a_mirror_image_is_never_taken_for_a_turn():
    turn = rotation_between(MEAN, (MEAN * torch.tensor([1.0, 1.0, -1.0]).double())[None])
    assert torch.linalg.det(turn).item() == pytest.approx(1)


def test_angles_are_the_inverse_of_rotation():
    torch.manual_seed(2)
    given = (torch.rand(50, 3).double() - 0.5) * torch.tensor([6.0, 3.0, 6.0]).double()
    torch.testing.assert_close(angles(rotation(given)), given)


def test_depth_on_the_mesh_is_that_of_its_triangles(monkeypatch):
    monkeypatch.setattr("l2rkit.landmarks.surface.ROUNDNESS", 0)
    depth, region = mesh_depth(MEAN[None], 128)
    px = project_points(MEAN[None], 128)[0]
    # a slow loop: which triangles hold the centre of a pixel, and how deep is the nearest there
    torch.manual_seed(3)
    for row, col in torch.randint(20, 108, (40, 2)).tolist():
        depths = []
        for corners in px[torch.from_numpy(TRIANGLES).long()]:
            (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners.tolist()
            area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
            u = ((bx - col) * (cy - row) - (cx - col) * (by - row)) / area
            v = ((cx - col) * (ay - row) - (ax - col) * (cy - row)) / area
            w = 1 - u - v
            if min(u, v, w) >= 0:
                depths.append(1 / (u / az + v / bz + w / cz))
        assert region[0, 0, row, col] == bool(depths)
        if depths:
            assert depth[0, 0, row, col].item() == pytest.approx(min(depths), abs=1e-6)


def test_a_film_is_flat_between_level_edges_and_keeps_what_is_known():
    known = torch.zeros(1, 1, 64, 64)
    known[..., 20:44, 20:44] = 1
    assert torch.equal(continued(torch.full_like(known, RIM), known), torch.full_like(known, RIM))
    hill = torch.full_like(known, 0.95)
    film = continued(hill, known)
    assert (film[known > 0] == 0.95).all()
    assert film.min() >= 0.95 and film.max() <= RIM
    line = film[0, 0, 32, 43:]
    assert (line.diff() > 0).all()  # it rises all the way to the edge
    laplace = (
        film[..., 1:-1, :-2] + film[..., 1:-1, 2:] + film[..., :-2, 1:-1] + film[..., 2:, 1:-1]
    )
    rest = (laplace / 4 - film[..., 1:-1, 1:-1])[known[..., 1:-1, 1:-1] == 0]
    assert rest.abs().max() < 5e-4


def test_a_face_of_landmarks_is_rendered_where_the_landmarks_are():
    """Depth at a landmark's pixel, in the photo's view, is the landmark's own."""
    size, view = 128, torch.tensor([[0.05, 0.3, 0.1, 0.004, -0.003, 0.0]])
    points = MEAN[None].float()
    depth, _ = canonical_depth(points, size)
    light = Light(torch.ones(1), torch.zeros(1), torch.tensor([[0.0, 0.0, -1.0]]))
    seen = GridRenderer()(Face(depth, torch.ones(1, 3, size, size), light, view))
    there = move(points.mT[..., None], view)[..., 0].mT
    column, row, z = project_points(there, size)[0].unbind(-1)
    inner = [i for i in range(468) if abs(points[0, i, 0]) < 0.025]  # nothing hides the middle
    rows, columns = row[inner].round().long(), column[inner].round().long()
    off = (seen.depth[0, 0, rows, columns] - z[inner]).abs()
    assert off.median() < 5e-4 and off.quantile(0.8) < 3e-3  # the rest: nostrils, lips
