"""Distillation, and the prior on the mean pose."""

from dataclasses import replace

import pytest
import torch
from scenes import perfect_scene

from l2rkit.config import load_model
from l2rkit.io.weights import write_weights
from l2rkit.losses import Distillation, ViewDistillation, ZeroMeanPose
from l2rkit.structures import MIRRORED_LIGHT, MIRRORED_VIEW, Light

CONFIG = """
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=Unsup3DDecomposer, image_size=32, width=4, encoder_width=4),
    render=dict(type=GridRenderer),
)
"""


@pytest.fixture
def teacher(tmp_path):
    """A config and weights of a tiny model, and the model."""
    (tmp_path / "teacher.py").write_text(CONFIG)
    torch.manual_seed(0)
    model = load_model(tmp_path / "teacher.py")
    write_weights(model.state_dict(), tmp_path / "teacher.safetensors")
    return str(tmp_path / "teacher.py"), str(tmp_path / "teacher.safetensors"), model


def test_maps_for_a_student_of_another_size_keep_their_outermost_pixels(teacher):
    """Then both surfaces are the same in the camera."""
    config, weights, model = teacher
    photo = torch.rand(2, 3, 32, 32)
    own = model.face(photo).depth.detach()
    for size in (63, 16):  # 63 - 1 is twice 32 - 1
        depth, albedo, *_ = Distillation({config: weights}).targets(photo, size)
        assert depth.shape[2:] == albedo.shape[2:] == (size, size)
    depth = Distillation({config: weights}).targets(photo, 63)[0]
    torch.testing.assert_close(depth[..., ::2, ::2], own)


def test_a_student_that_equals_its_teacher_has_no_loss(teacher):
    config, weights, model = teacher
    scene = perfect_scene(32)
    with torch.no_grad():
        scene = replace(scene, face=model(scene.target))
    loss = Distillation({config: weights}, weight=2.0).train()
    assert not loss.teachers.training
    assert not any(weight.requires_grad for weight in loss.parameters())
    assert loss(scene).item() == pytest.approx(0, abs=1e-6)
    face = scene.face
    for change, expected in (
        (dict(depth=face.depth + 0.01), 2 * 10 * 0.01),
        (dict(albedo=face.albedo + 0.1), 2 * 0.1),
        (dict(view=face.view + 0.2), 2 * 0.2),
        (dict(light=replace(face.light, ambient=face.light.ambient + 0.5)), 2 * 0.5 / 5),
    ):
        other = replace(scene, face=replace(face, **change))
        assert loss(other).item() == pytest.approx(expected, rel=1e-4)


def test_a_larger_student_is_compared_at_its_own_size_and_weight_0_runs_no_teacher(teacher):
    config, weights, _ = teacher
    loss = Distillation({config: weights})
    assert loss(perfect_scene(64)).isfinite()
    loss.weight, loss.teachers = 0, None
    assert loss(perfect_scene(64)) == 0


def test_of_several_teachers_and_of_the_mirror_image_the_middle_is_learnt(teacher, tmp_path):
    config, weights, model = teacher
    torch.manual_seed(1)
    other = load_model(config)
    write_weights(other.state_dict(), tmp_path / "other.safetensors")
    second = tmp_path / "second.py"
    second.write_text(CONFIG)
    scene = perfect_scene(32)
    with torch.no_grad():
        one, two = model(scene.target), other(scene.target)
    both = {config: weights, str(second): str(tmp_path / "other.safetensors")}
    loss = Distillation(both, albedo=0.0)
    between = replace(one, depth=(one.depth + two.depth) / 2, view=(one.view + two.view) / 2)
    light = (one.light.packed() + two.light.packed()) / 2
    between = replace(between, light=Light(light[:, 0], light[:, 1], light[:, 2:]))
    assert loss(replace(scene, face=between)).item() == pytest.approx(0, abs=1e-6)
    assert loss(replace(scene, face=one)).item() > 1e-3
    asked_twice = Distillation({config: weights}, mirror=True)
    photo, turned = scene.target, scene.target.flip(-1)
    for straight, back in zip(
        asked_twice.targets(photo, 32), asked_twice.targets(turned, 32), strict=True
    ):
        signs = {5: MIRRORED_LIGHT, 6: MIRRORED_VIEW}.get(straight.shape[-1])
        back = back.flip(-1) if signs is None else back * torch.tensor(signs)
        torch.testing.assert_close(straight, back)
    depth = (one.depth + model(turned).depth.flip(-1)) / 2
    torch.testing.assert_close(asked_twice.targets(photo, 32)[0], depth.detach())


def test_centred_views():
    scene = perfect_scene(32)
    both_ways = torch.tensor([[0.3, -0.2, 0.1, 9, 9, 9], [-0.3, 0.2, -0.1, 9, 9, 9]])
    seen = replace(scene, face=scene.face.with_view(both_ways))
    assert ZeroMeanPose()(seen) == 0  # whatever the offsets
    one_way = replace(scene, face=scene.face.with_view(torch.tensor([0.1, 0.2, -0.2, 0, 0, 0])))
    assert ZeroMeanPose(2.0)(one_way).item() == pytest.approx(2 * 0.09)


def test_views_alone_are_learnt_from_the_photo_and_from_its_mirror_image(teacher):
    config, weights, model = teacher
    scene = perfect_scene(32)
    with torch.no_grad():
        own = model(scene.target).view
        other = model(scene.target.flip(-1)).view * torch.tensor(MIRRORED_VIEW)
    alone = ViewDistillation({config: weights}, weight=2.0).train()
    assert not alone.teachers.training
    assert alone(replace(scene, face=scene.face.with_view(own))).item() == 0
    moved = replace(scene, face=scene.face.with_view(own + 0.1))
    assert alone(moved).item() == pytest.approx(2 * 0.1, rel=1e-4)
    both = ViewDistillation({config: weights}, mirror=True)
    between = scene.face.with_view((own + other) / 2)
    assert both(replace(scene, face=between)).item() == pytest.approx(0, abs=1e-6)
    both.weight, both.teachers = 0, None  # no teacher runs
    assert both(scene) == 0
