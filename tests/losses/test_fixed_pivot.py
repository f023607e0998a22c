"""FixedPivot on faces with known translations."""

from dataclasses import replace

import pytest
import torch
from scenes import perfect_scene

from l2rkit.losses import FixedPivot
from l2rkit.structures import Scene


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


def test_its_gradient_moves_a_translation_back_and_no_turn() -> None:
    depth = torch.full((1, 1, 32, 32), 0.96)
    view = torch.tensor([[0.3, 0, 0, 0.01, -0.01, 0]], requires_grad=True)
    FixedPivot()(with_faces(depth, view)).backward()
    assert view.grad[0, 3] > 0 > view.grad[0, 4]
    assert view.grad[0, [0, 1, 2, 5]].abs().max() == 0
