"""The surface through the landmarks, on shapes with known depth."""

import torch

from l2rkit.geometry import normals, rays
from l2rkit.landmarks import surface
from l2rkit.landmarks.points import MEAN_FACE, MOUTH
from l2rkit.landmarks.pose import project_points
from l2rkit.landmarks.surface import canonical_depth, fair_depth, mesh_depth

SIZE, RADIUS = 128, 0.12
ACROSS = torch.from_numpy(MEAN_FACE)[:, :2].double()


def on_a_ball() -> torch.Tensor:
    """(1, 468, 3): the points of the mean face, put onto a ball."""
    z = 1 + RADIUS - (RADIUS**2 - ACROSS.square().sum(1, keepdim=True)).sqrt()
    return torch.cat([ACROSS, z], 1)[None]


def ball_depth() -> torch.Tensor:
    """(1, 1, SIZE, SIZE): where each pixel's ray meets that ball."""
    ray = rays(SIZE, torch.ones(1, dtype=torch.float64))
    square, along = ray.square().sum(1, keepdim=True), (1 + RADIUS) * ray[:, 2:]
    met = (along**2 - square * ((1 + RADIUS) ** 2 - RADIUS**2)).clamp(min=0)
    return (along - met.sqrt()) / square


def off_by(monkeypatch, roundness: float, points, expected) -> float:
    monkeypatch.setattr(surface, "ROUNDNESS", roundness)
    depth, region = mesh_depth(points, SIZE)
    return float(((depth - expected).abs() * region).sum() / region.sum())


def test_a_ball_is_rounder_than_its_triangles(monkeypatch):
    flat = off_by(monkeypatch, 0.0, on_a_ball(), ball_depth())
    assert off_by(monkeypatch, 0.75, on_a_ball(), ball_depth()) < 0.5 * flat


def test_a_slanted_wall_stays_flat(monkeypatch):
    wall = torch.cat([ACROSS, 1 + 0.3 * ACROSS[:, :1] - 0.2 * ACROSS[:, 1:]], 1)[None]
    ray = rays(SIZE, torch.ones(1, dtype=torch.float64))
    expected = 1 / (1 - 0.3 * ray[:, :1] + 0.2 * ray[:, 1:2])
    assert off_by(monkeypatch, 0.75, wall, expected) < 1e-6
    depth, region = fair_depth(wall, SIZE)
    inside = -torch.nn.functional.max_pool2d(-region, 15, 1, 7) > 0
    assert ((depth - expected).abs()[inside]).median() < 1e-5


def test_points_stay_where_they_are():
    """Of a face, at the pixels nearest to its points, to the precision of a pixel."""
    points = torch.from_numpy(MEAN_FACE)[None].double()
    depth, region = canonical_depth(points, SIZE)
    projected = project_points(points, SIZE)[0]
    column, row, z = projected[(projected[:, :2].round() < SIZE).all(1)].unbind(-1)
    at = row.round().long(), column.round().long()
    inside = region[0, 0][at] > 0
    off = (depth[0, 0][at] - z).abs()[inside]
    assert inside.sum() > 400 and off.median() < 6e-4 and off.mean() < 1.5e-3


def sharpest_fold(depth: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    """Degrees that one percent of normals of pixels side by side are further apart than."""
    inside = -torch.nn.functional.max_pool2d(-region, 9, 1, 4) > 0
    across = normals(depth)
    cosine = (across[..., 1:] * across[..., :-1]).sum(1, keepdim=True)[inside[..., 1:]]
    return cosine.clamp(-1, 1).acos().rad2deg().quantile(0.99)


def test_points_that_shake_make_no_folds():
    """At the edges of triangles, where light shows them."""
    draws = torch.Generator().manual_seed(0)
    shake = torch.randn(1, 468, 1, generator=draws, dtype=torch.float64)
    points = on_a_ball() + 5e-4 * torch.nn.functional.pad(shake, (2, 0))
    folded, fair = (sharpest_fold(*of(points, SIZE)) for of in (canonical_depth, fair_depth))
    assert fair < 0.65 * folded


def test_lips_have_no_teeth():
    """How deep their inner edge lies, of which a depth map shows spikes, changes nothing."""
    points = torch.from_numpy(MEAN_FACE)[None].double()
    teeth = points.clone()
    teeth[:, MOUTH[::2], 2] += 0.005
    assert not torch.equal(canonical_depth(teeth, SIZE)[0], canonical_depth(points, SIZE)[0])
    for one, other in zip(fair_depth(teeth, SIZE), fair_depth(points, SIZE)):
        assert torch.equal(one, other)
    assert torch.equal(fair_depth(points, SIZE)[1], canonical_depth(points, SIZE)[1])
