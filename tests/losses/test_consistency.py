"""The consistency of a photo's face and its person's, for known distances."""

from dataclasses import replace

import pytest
import torch
from scenes import perfect_scene

from l2rkit.losses import RelaxedConsistency
from l2rkit.losses.consistency import relaxed
from l2rkit.structures import Consistent


def apart(depth=0.0, albedo=0.0):
    """A scene whose face is so far from the shared one, at every pixel."""
    scene = perfect_scene(8)
    face = scene.face
    shared = Consistent(face.depth - depth, face.albedo + albedo)
    return replace(scene, face=replace(face, consistent=shared))


def test_known_distances():
    assert RelaxedConsistency()(perfect_scene(8)) == 0  # no shared face
    assert RelaxedConsistency()(apart()) == 0
    half = RelaxedConsistency(weight=3.0, depth=0.02, albedo=0.1)
    assert half(apart(depth=0.02)).item() == pytest.approx(1.5, rel=1e-4)
    assert half(apart(albedo=0.1)).item() == pytest.approx(1.5, rel=1e-4)
    expected = 3 * (0.01**2 / (0.01**2 + 0.02**2) + 0.3**2 / (0.3**2 + 0.1**2))
    assert half(apart(0.01, -0.3)).item() == pytest.approx(expected, rel=1e-4)


def test_colours_are_apart_by_the_mean_of_their_channels():
    scene = apart()
    shared = scene.face.consistent
    albedo = scene.face.albedo + torch.tensor([0.3, 0.0, 0.0])[:, None, None]
    face = replace(scene.face, consistent=replace(shared, albedo=albedo))
    loss = RelaxedConsistency(albedo=0.1)(replace(scene, face=face))
    assert loss.item() == pytest.approx(0.5, rel=1e-4)


def test_far_pixels_are_let_go_and_near_ones_pulled():
    distance = torch.tensor([0.0, 0.005, 0.01, 0.1], requires_grad=True)
    cost = relaxed(distance, 0.01)
    cost.sum().backward()
    pull = distance.grad
    assert cost[3] < 1 and pull[0] == 0 and pull[1] > 10 * pull[3] > 0
    torch.testing.assert_close(cost[2].detach(), torch.tensor(0.5))


def test_both_faces_are_drawn_towards_each_other():
    scene = apart(0.004, 0.02)
    leaves = [scene.face.depth, scene.face.albedo]
    leaves += [scene.face.consistent.depth, scene.face.consistent.albedo]
    leaves = [leaf.clone().requires_grad_() for leaf in leaves]
    face = replace(
        scene.face, depth=leaves[0], albedo=leaves[1], consistent=Consistent(*leaves[2:])
    )
    RelaxedConsistency()(replace(scene, face=face)).backward()
    for own, shared in ((leaves[0], leaves[2]), (leaves[1], leaves[3])):
        torch.testing.assert_close(own.grad, -shared.grad)
        assert own.grad.abs().min() > 0
