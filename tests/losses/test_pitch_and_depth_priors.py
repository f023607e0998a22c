"""PitchPrior and DepthVariance on depths with known tilt and variance."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scenes import perfect_scene

from l2rkit.data.heads.capture import random_capture
from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.heads.person import random_person
from l2rkit.data.heads.render import render_head
from l2rkit.geometry import focal, move, project, unproject, view_of
from l2rkit.losses import DepthVariance, PitchPrior
from l2rkit.losses.pitch_prior import tilt


def leaning(angle_deg: float, size: int = 64) -> torch.Tensor:
    """(1, 1, size, size): the plane z = 1 leant back at its foot, by ray and plane."""
    tangent = math.tan(math.radians(angle_deg))
    y = (torch.arange(size, dtype=torch.float64) - (size - 1) / 2) / focal(size)
    # a point z (y, 1) of the ray lies on the plane z = 1 + tangent * z * y
    return (1 / (1 - tangent * y))[None, None, :, None].expand(1, 1, size, size)


@pytest.mark.parametrize("angle_deg", [-20.0, 0.0, 5.0, 20.0])
def test_tilt_is_the_tangent_of_a_leaning_plane(angle_deg: float) -> None:
    expected = math.tan(math.radians(angle_deg))
    assert tilt(leaning(angle_deg)).item() == pytest.approx(expected, abs=2e-3)


def test_leaning_is_what_a_pitch_does() -> None:
    flat = unproject(torch.ones(1, 1, 32, 32, dtype=torch.float64))
    moved = project(move(flat, view_of(pitch_deg=10).double()[None]), 32)
    steps = moved[0, :, 16, 16] - moved[0, :, 15, 16]
    lean = steps[2] / (steps[1] / focal(32))
    assert lean.item() == pytest.approx(tilt(leaning(10)).item(), rel=0.02)


def test_faces_may_lean_one_by_one_but_not_on_average() -> None:
    scene = perfect_scene(32)
    one = scene.face.depth[:1] * 0
    both = torch.cat([one + leaning(10, 32).float(), one + leaning(-10, 32).float()])
    opposite = replace(scene, face=replace(scene.face, depth=both))
    alike = replace(scene, face=replace(scene.face, depth=both[:1].repeat(2, 1, 1, 1)))
    assert PitchPrior()(opposite).item() == pytest.approx(0, abs=1e-4)
    expected = 3 * math.tan(math.radians(10)) ** 2
    assert PitchPrior(weight=3.0)(alike).item() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("lean_deg", [-6.0, 0.0, 4.0])
def test_an_upright_face_may_have_a_lean_of_its_own(lean_deg: float) -> None:
    scene = perfect_scene(64)
    depth = leaning(lean_deg).float().repeat(2, 1, 1, 1)
    face = replace(scene.face, depth=depth)
    assert PitchPrior(lean_deg=lean_deg)(replace(scene, face=face)).item() == pytest.approx(
        0, abs=1e-5
    )
    off = math.tan(math.radians(lean_deg)) - math.tan(math.radians(5.0))
    wrong = PitchPrior(lean_deg=5.0)(replace(scene, face=face)).item()
    assert wrong == pytest.approx(off**2, rel=0.05)


def test_heads_that_look_straight_ahead_lean_by_some_6_degrees() -> None:
    model, depths = HeadModel.load(), []
    for i in range(48):
        person = random_person(model, np.random.default_rng([99, i]))
        scene = random_capture(model, np.random.default_rng([98, i]))
        ahead = replace(scene, view=np.zeros(6, np.float32), action=0 * scene.action)
        depths.append(render_head(model, person, ahead, 32)["depth"])
    leans = tilt(torch.as_tensor(np.stack(depths))[:, None]).atan().rad2deg()
    assert leans.mean().item() == pytest.approx(-6, abs=0.7)


def test_relief_is_the_variance_in_depth_ranges() -> None:
    scene = perfect_scene(32)
    depth = torch.ones(len(scene.face), 1, 32, 32)
    depth[..., ::2] = 1.02  # half of the pixels 0.02 behind: a deviation of 0.01 of a range of 0.2
    flat = torch.full_like(depth, 0.97)
    loss = DepthVariance(weight=4.0)
    carved = replace(scene, face=replace(scene.face, depth=depth))
    assert loss(carved).item() == pytest.approx(4 * (0.01 / 0.2) ** 2, rel=1e-3)
    assert loss(replace(scene, face=replace(scene.face, depth=flat))).item() == 0
