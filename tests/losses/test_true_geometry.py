"""The loss of true depth and normals is zero for them, and needs them."""

from dataclasses import replace

import pytest
import torch

from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.errors import PartError
from l2rkit.losses import TrueGeometry
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from l2rkit.render.warp import normals_in_view
from l2rkit.structures import Rendering, Scene, Truth
from l2rkit.testing import example_face


def scene_of(size=16, batch=2):
    face = example_face(size, batch)
    face = replace(face, view=torch.zeros(batch, 6))
    mask = torch.ones(batch, 1, size, size)
    own = Rendering(torch.rand(batch, 3, size, size), mask, face.depth)
    truth = Truth(face.depth.detach(), normals_in_view(face, face.depth).detach(), mask)
    return Scene(own.image, face, own, truth=truth)


def test_zero_where_everything_is_right():
    assert TrueGeometry()(scene_of()).item() == pytest.approx(0, abs=1e-6)


def test_depth_off_by_a_constant_counts_that_constant():
    scene = scene_of()
    truth = replace(scene.truth, depth=scene.truth.depth + 0.01)
    loss = TrueGeometry(depth=30, normal=0)(replace(scene, truth=truth))
    assert loss.item() == pytest.approx(0.3, rel=1e-4)


def test_normals_turned_inside_out_count_by_their_difference():
    scene = scene_of()
    flipped = scene.truth.normal * torch.tensor([-1.0, 1, 1]).view(1, 3, 1, 1)
    truth = replace(scene.truth, normal=flipped)
    loss = TrueGeometry(depth=0, normal=2)(replace(scene, truth=truth))
    expected = 2 * (2 * scene.truth.normal[:, 0].abs()).mean() / 3
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)


def test_masked_pixels_have_no_say():
    scene = scene_of()
    mask = scene.truth.mask.clone()
    mask[..., 8:] = 0
    depth = scene.truth.depth.clone()
    depth[..., 8:] += 5
    truth = replace(scene.truth, depth=depth, mask=mask)
    assert TrueGeometry()(replace(scene, truth=truth)).item() == pytest.approx(0, abs=1e-6)


def test_without_a_truth_it_says_so():
    with pytest.raises(PartError, match="depth, normal and mask"):
        TrueGeometry()(replace(scene_of(), truth=None))


def test_a_model_hands_its_labels_on_and_learns_from_them():
    """Depth moves towards the truth, through the renderer, by labels of a batch alone."""
    torch.manual_seed(0)
    size = 32
    model = FaceReconstructor(
        decompose=Unsup3DDecomposer(image_size=size, width=4, encoder_width=4),
        render=GridRenderer(),
        losses=dict(geometry=TrueGeometry()),
    )
    photo = torch.rand(2, 3, size, size)
    with torch.no_grad():
        scene = model.scene(photo)
    labels = dict(
        depth=scene.rendering.depth + 0.02,
        normal=normals_in_view(scene.face, scene.rendering.depth),
        mask=torch.ones(2, 1, size, size),
    )
    loss = model(photo, mode="loss", **labels)["loss_geometry"]
    assert loss.item() == pytest.approx(0.6, abs=0.02)
    loss.backward()
    moved = [p.grad.abs().sum() for p in model.decompose.depth.parameters() if p.grad is not None]
    assert sum(moved) > 0
    with pytest.raises(PartError):
        model(photo, mode="loss")
