"""The records: checks of shapes, mirroring and turning."""

import pytest
import torch

from l2rkit.errors import PartError
from l2rkit.structures import Confidence, Face, Light, Rendering, Scene


def light(batch=2):
    return Light(torch.ones(batch), torch.zeros(batch), torch.tensor([[0.0, 0, -1]] * batch))


def maps(batch=2, size=4, **changes):
    torch.manual_seed(0)
    made = dict(
        depth=torch.rand(batch, 1, size, size),
        albedo=torch.rand(batch, 3, size, size),
        light=light(batch),
        view=torch.rand(batch, 6),
    )
    return {**made, **changes}


@pytest.mark.parametrize(
    "changes, text",
    [
        (dict(depth=torch.ones(2, 4, 4)), r"Face\.depth must be \(2, 1, \*, \*\), not \(2, 4, 4\)"),
        (dict(depth=torch.ones(2, 1, 4, 5)), r"Face\.depth must be \(2, 1, 5, 5\)"),
        (dict(albedo=torch.ones(2, 1, 4, 4)), r"Face\.albedo must be \(2, 3, 4, 4\)"),
        (dict(albedo=torch.ones(2, 3, 8, 8)), r"Face\.albedo must be \(2, 3, 4, 4\)"),
        (dict(light=light(3)), r"Face\.light must be \(2\), not \(3,\)"),
        (dict(view=torch.ones(2, 5)), r"Face\.view must be \(2, 6\), not \(2, 5\)"),
        (dict(displacement=torch.ones(2, 3, 4, 4)), r"Face\.displacement must be \(2, 1, 4, 4\)"),
        (dict(region=torch.ones(2, 1, 8, 8)), r"Face\.region must be \(2, 1, 4, 4\)"),
        (
            dict(confidence=Confidence(torch.ones(3, 2, 4, 4), torch.ones(3, 2, 1, 1))),
            r"Face\.confidence must be \(2, 2, \*, \*\), not \(3, 2, 4, 4\)",
        ),
    ],
)
def test_face_refuses_a_wrong_shape(changes, text):
    with pytest.raises(ValueError, match=text):
        Face(**maps(**changes))


def test_light_and_confidence_refuse_a_wrong_shape():
    with pytest.raises(ValueError, match=r"Light\.diffuse must be \(2\), not \(2, 1\)"):
        Light(torch.ones(2), torch.ones(2, 1), torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"Light\.direction must be \(2, 3\), not \(2, 2\)"):
        Light(torch.ones(2), torch.ones(2), torch.ones(2, 2))
    with pytest.raises(ValueError, match=r"Confidence\.pixel must be \(2, 2, \*, \*\)"):
        Confidence(torch.ones(2, 1, 4, 4), torch.ones(2, 2, 1, 1))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (dict(image=torch.ones(2, 1, 4, 4)), r"Rendering\.image must be \(2, 3, 4, 4\)"),
        (dict(mask=torch.ones(4, 4)), r"Rendering\.mask must be \(2, 1, 4, 4\), not \(4, 4\)"),
        (dict(depth=torch.ones(2, 1, 8, 8)), r"Rendering\.depth must be \(2, 1, 4, 4\)"),
    ],
)
def test_rendering_refuses_a_wrong_shape(changes, text):
    one = torch.ones(2, 1, 4, 4)
    with pytest.raises(PartError, match=text):
        Rendering(**{**dict(image=torch.ones(2, 3, 4, 4), mask=one, depth=one), **changes})


def test_scene_refuses_labels_of_other_photos():
    face = Face(**maps())
    with pytest.raises(PartError, match=r"Scene\.landmarks must be \(2, \*, 3\)"):
        Scene(torch.ones(2, 3, 4, 4), face, None, landmarks=torch.ones(3, 468, 3))
    with pytest.raises(PartError, match=r"Scene\.face\.view must be \(5, \*\), not \(2, 6\)"):
        Scene(torch.ones(5, 3, 4, 4), face, None)


def test_scene_refuses_a_picture_of_another_size():
    face = Face(**maps())
    ones = torch.ones(2, 1, 8, 8)
    rendering = Rendering(torch.ones(2, 3, 8, 8), ones, ones)
    with pytest.raises(ValueError, match=r"Scene\.rendering\.image must be \(2, 3, 4, 4\)"):
        Scene(torch.ones(2, 3, 4, 4), face, rendering)


def test_mirrored_exchanges_left_and_right_of_the_maps_alone():
    face = Face(**maps(displacement=torch.rand(2, 1, 4, 4), region=torch.rand(2, 1, 4, 4)))
    other = face.mirrored()
    for name in ("depth", "albedo", "displacement", "region"):
        ours, theirs = getattr(other, name), getattr(face, name)
        for column in range(4):
            assert torch.equal(ours[..., column], theirs[..., 3 - column])
    assert other.light is face.light and other.view is face.view
    assert torch.equal(other.mirrored().depth, face.depth)
    assert Face(**maps()).mirrored().displacement is None is Face(**maps()).mirrored().region


def test_seen_from_and_lit_by_change_only_that():
    face = Face(**maps())
    turned = face.with_view(torch.arange(6.0))
    assert turned.view.tolist() == [[0, 1, 2, 3, 4, 5]] * 2
    assert turned.depth is face.depth and turned.light is face.light
    other = light()
    assert face.with_light(other).light is other and face.with_light(other).view is face.view
    with pytest.raises(RuntimeError):
        face.with_view(torch.zeros(3, 6))


def test_a_face_cannot_be_changed_in_place():
    with pytest.raises(AttributeError):
        Face(**maps()).depth = torch.ones(2, 1, 4, 4)


def test_packed_light_and_the_scene_s_mask():
    one = Light(torch.tensor([0.1]), torch.tensor([0.2]), torch.tensor([[0.6, 0.0, -0.8]]))
    torch.testing.assert_close(one.packed(), torch.tensor([[0.1, 0.2, 0.6, 0.0, -0.8]]))
    photo, mask = torch.ones(2, 3, 4, 4), torch.ones(2, 1, 4, 4)
    left, right = mask.clone(), mask.clone()
    left[..., :2], right[..., 3:] = 0, 0
    own, mirrored = Rendering(photo, left, mask), Rendering(photo, right, mask)
    face = Face(**maps())
    assert torch.equal(Scene(photo, face, own).mask, left)
    assert torch.equal(Scene(photo, face, own, mirrored).mask, left * right)
    assert len(face) == 2 and face.size == 4
