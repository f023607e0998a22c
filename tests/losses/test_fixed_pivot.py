"""FixedPivot on faces with known translations and distances from the turning point."""

from dataclasses import replace

import pytest
import torch
from scenes import perfect_scene

from l2rkit.data.heads.detailed import detailed_images
from l2rkit.losses import FixedPivot
from l2rkit.losses.fixed_pivot import arm
from l2rkit.structures import PIVOT, Scene


def with_faces(depth: torch.Tensor, view: torch.Tensor) -> Scene:
    scene = perfect_scene(32, len(depth))
    return replace(scene, face=replace(scene.face, depth=depth, view=view))


def test_only_translations_across_the_picture_count() -> None:
    view = torch.zeros(2, 6)
    view[:, :3], view[:, 5] = 0.4, 0.05
    depth = torch.full((2, 1, 32, 32), 0.95)
    assert FixedPivot()(with_faces(depth, view)).item() == 0
    view[0, 3], view[1, 4] = 0.006, -0.003  # 2 and 1 spreads: squares 4, 0, 0, 1
    loss = FixedPivot(weight=3.0)(with_faces(depth, view))
    assert loss.item() == pytest.approx(3 * 0.5 * 5 / 4, rel=1e-5)
    wider = FixedPivot(weight=3.0, spread=0.006)(with_faces(depth, view))
    assert wider.item() == pytest.approx(loss.item() / 4, rel=1e-5)


def test_the_arm_is_a_mean_over_the_middle_of_all_faces() -> None:
    depth = torch.full((2, 1, 32, 32), 1.1)  # ears and neck do not count
    depth[0, :, 8:24, 8:24], depth[1, :, 8:24, 8:24] = 0.95, 0.93
    torch.testing.assert_close(arm(depth), PIVOT[2] - torch.tensor([0.95, 0.93]))
    scene = with_faces(depth, torch.zeros(2, 6))
    assert FixedPivot(arm=0.06)(scene).item() == pytest.approx(0, abs=1e-6)
    assert FixedPivot(arm=0.066)(scene).item() == pytest.approx(0.5 * 4, rel=1e-3)
    assert FixedPivot(arm=0.054)(scene).item() == pytest.approx(0.5 * 4, rel=1e-3)


def test_its_gradient_moves_a_far_face_nearer_and_a_translation_back() -> None:
    depth = torch.full((1, 1, 32, 32), 0.96, requires_grad=True)
    view = torch.tensor([[0.0, 0, 0, 0.01, -0.01, 0]], requires_grad=True)
    FixedPivot(arm=0.064)(with_faces(depth, view)).backward()
    assert (depth.grad[..., 8:24, 8:24] > 0).all() and depth.grad[..., :8, :].abs().max() == 0
    assert view.grad[0, 3] > 0 > view.grad[0, 4] and view.grad[0, :3].abs().max() == 0


def test_heads_that_look_straight_ahead_have_an_arm_of_some_0_064() -> None:
    arms = [
        arm(torch.from_numpy(head["depth"])[None, None]).item()
        for head in detailed_images(range(240), seed=7, split="train", size=64)
        if abs(head["view"][:3]).max() < 0.15
    ]
    assert len(arms) > 30
    assert sum(arms) / len(arms) == pytest.approx(0.064, abs=0.002)
