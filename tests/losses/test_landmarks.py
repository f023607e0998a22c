"""Distillation from landmarks: zero for their pose and shape, else the known error."""

import math

import pytest
import torch

from l2rkit.errors import PartError
from l2rkit.landmarks.points import MEAN_FACE
from l2rkit.landmarks.pose import canonical_points
from l2rkit.landmarks.surface import canonical_depth
from l2rkit.losses import LandmarkDistillation
from l2rkit.structures import Face, Light, Scene
from tests.landmarks.test_pose import SIZE, VIEWS, landmarks_of

POINTS = torch.from_numpy(MEAN_FACE).double() + 0.001 * torch.randn(
    3, 468, 3, generator=torch.manual_seed(0)
)
LANDMARKS = landmarks_of(POINTS, VIEWS)


def scene(depth_off: float = 0.0, yaw_off: float = 0.0, landmarks=LANDMARKS) -> Scene:
    view, points = canonical_points(LANDMARKS, SIZE)
    depth, _ = canonical_depth(points.float(), SIZE)
    view = view.float() + torch.tensor([0, yaw_off, 0, 0, 0, 0])
    light = Light(torch.ones(3), torch.zeros(3), torch.tensor([[0.0, 0.0, -1.0]] * 3))
    face = Face(depth + depth_off, torch.zeros(3, 3, SIZE, SIZE), light, view)
    return Scene(torch.zeros(3, 3, SIZE, SIZE), face, None, landmarks=landmarks)


def test_it_is_zero_for_what_the_landmarks_say():
    loss = LandmarkDistillation(slope=100.0)
    assert loss(scene()).item() == pytest.approx(0, abs=1e-4)


def test_each_part_counts_as_it_is_weighted():
    only = dict(view=0.0, depth=0.0, outside=0.0)
    yaw = LandmarkDistillation(**{**only, "view": 10.0})(scene(yaw_off=0.06))
    assert yaw.item() == pytest.approx(10 * 0.06 / 6, rel=1e-4)
    deeper = LandmarkDistillation(**{**only, "depth": 100.0})(scene(depth_off=0.002))
    assert deeper.item() == pytest.approx(100 * 0.002, rel=1e-3)
    outside = LandmarkDistillation(**{**only, "outside": 30.0})(scene(depth_off=0.002))
    assert 0.1 * 30 * 0.002 < outside.item() < 0.9 * 30 * 0.002  # of the pixels outside alone
    level = LandmarkDistillation(**only, slope=100.0)(scene(depth_off=0.002))
    assert level.item() == pytest.approx(0, abs=1e-4)  # a step has no level


def test_it_passes_gradients_to_view_and_depth_and_asks_for_landmarks():
    there = scene(0.001, 0.01)
    view, depth = there.face.view.requires_grad_(), there.face.depth.requires_grad_()
    LandmarkDistillation()(there).backward()
    assert view.grad.abs().sum() > 0 and depth.grad.abs().sum() > 0
    assert math.isfinite(depth.grad.sum())
    with pytest.raises(PartError, match="FindLandmarks"):
        LandmarkDistillation()(scene(landmarks=None))
