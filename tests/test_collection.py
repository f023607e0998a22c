"""One face from several photos of a person."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from l2rkit.collection import LEAST, shared_face
from l2rkit.decompose import LAPDecomposer, Unsup3DDecomposer
from l2rkit.geometry import view_of
from l2rkit.model import FaceReconstructor
from l2rkit.ops.resize import aligned
from l2rkit.refine import SharedDepthOffset
from l2rkit.render import GridRenderer
from l2rkit.render.unwrap import visibility
from l2rkit.testing import example_face


def test_depth_is_the_mean_and_albedo_counts_what_each_photo_shows() -> None:
    face = example_face(32, 5)
    turned = torch.stack([view_of(yaw_deg=yaw) for yaw in (0, 60, -60, 10, 0)])
    face = replace(face, view=turned, displacement=torch.rand(5, 1, 32, 32))
    face.albedo[:] = torch.rand(5, 3, 32, 32)
    person = torch.tensor([7, 3, 7, 7, 3])
    shared = shared_face(face, person, 32)
    shown = LEAST + (1 - LEAST) * visibility(face.depth, face.view, 32)
    assert shown.min() < 0.2 and shown.max() > 0.9  # the photos show different parts
    for rows in ([0, 2, 3], [1, 4]):
        depth = sum(face.depth[i] for i in rows) / len(rows)
        moved = sum(face.displacement[i] for i in rows) / len(rows)
        albedo = sum(face.albedo[i] * shown[i] for i in rows) / sum(shown[i] for i in rows)
        for i in rows:
            torch.testing.assert_close(shared.depth[i], depth)
            torch.testing.assert_close(shared.displacement[i], moved)
            torch.testing.assert_close(shared.albedo[i], albedo)
    torch.testing.assert_close(shared.consistent.albedo, shared.albedo)
    assert torch.equal(shared.view, face.view) and shared.light is face.light


def test_a_shared_face_is_where_most_photos_say() -> None:
    region = torch.zeros(3, 1, 32, 32)
    region[0, ..., :8], region[1, ..., :20], region[2, ..., :30] = 1, 1, 1
    face = replace(example_face(32, 3), region=region)
    shared = shared_face(face, torch.zeros(3), 32).region
    assert all(torch.equal(own, region[1]) for own in shared)


def test_one_photo_of_each_person_changes_nothing() -> None:
    face = example_face(32, 3)
    shared = shared_face(face, torch.tensor([5, 1, 9]), 64)
    torch.testing.assert_close(shared.depth, face.depth)
    torch.testing.assert_close(shared.albedo, face.albedo)


def test_each_face_has_a_person() -> None:
    with pytest.raises(ValueError, match="a person for each of 2 faces, not \\(3,\\)"):
        shared_face(example_face(32, 2), torch.zeros(3), 32)


def test_a_method_of_single_photos_shares_by_the_mean() -> None:
    torch.manual_seed(0)
    decompose = Unsup3DDecomposer(image_size=32, width=8, encoder_width=8)
    model = FaceReconstructor(decompose, GridRenderer(32)).eval()
    photo, one = torch.rand(3, 3, 32, 32), torch.zeros(3, dtype=torch.long)
    (alone,) = model.predict(photo)
    scene = model.predict_collection(photo, one)
    expected = shared_face(alone.face, one, 32)
    torch.testing.assert_close(scene.face.albedo, expected.albedo)
    torch.testing.assert_close(scene.rendering.image, model.render(expected).image)
    assert (alone.face.albedo - expected.albedo).abs().max() > 0


def test_a_decomposer_of_many_photos_shares_by_itself() -> None:
    torch.manual_seed(0)
    decompose = LAPDecomposer(image_size=32, width=8, encoder_width=8)
    model = FaceReconstructor(decompose, GridRenderer(32)).eval()
    photo, one = torch.rand(3, 3, 32, 32), torch.zeros(3, dtype=torch.long)
    (together,) = model.predict(photo, one)
    scene = model.predict_collection(photo, one)
    torch.testing.assert_close(scene.face.depth, together.face.depth)
    torch.testing.assert_close(scene.face.consistent.depth, together.face.consistent.depth)


def test_photos_are_seen_in_batches_and_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    decompose = Unsup3DDecomposer(image_size=32, width=8, encoder_width=8)
    model = FaceReconstructor(decompose, GridRenderer(32)).eval()
    photo, person = torch.rand(5, 3, 32, 32), torch.tensor([4, 2, 4, 2, 2])
    whole = model.predict_collection(photo, person)
    seen, face = [], model.face
    monkeypatch.setattr("l2rkit.model.AT_ONCE", 2)
    monkeypatch.setattr(model, "face", lambda photo: seen.append(len(photo)) or face(photo))
    parts = model.predict_collection(photo, person)
    assert seen == [2, 2, 1]
    torch.testing.assert_close(parts.face.depth, whole.face.depth)
    torch.testing.assert_close(parts.face.light.direction, whole.face.light.direction)
    torch.testing.assert_close(model.shares(photo, person), torch.ones(5))


def test_what_refiners_add_is_shared_too() -> None:
    """A decomposer of many photos does not see it."""
    torch.manual_seed(0)
    decompose = LAPDecomposer(image_size=32, width=8, encoder_width=8)
    offset = SharedDepthOffset(size=32)
    nn.init.constant_(offset.shape, 0.01)
    plain = FaceReconstructor(decompose, GridRenderer(32)).eval()
    moved = FaceReconstructor(decompose, GridRenderer(32), refine=dict(common=offset)).eval()
    photo, one = torch.rand(3, 3, 32, 32), torch.zeros(3, dtype=torch.long)
    before, after = (model.predict_collection(photo, one).face for model in (plain, moved))
    torch.testing.assert_close(after.depth, before.depth + 0.01)  # each photo's own face
    shared = after.depth.mean(0, keepdim=True).expand_as(after.depth)
    torch.testing.assert_close(after.consistent.depth, shared)


def test_shares_are_of_the_photos_that_the_decomposer_sees() -> None:
    """Restored ones, at its own size."""
    torch.manual_seed(0)
    decompose = LAPDecomposer(image_size=32, width=8, encoder_width=8)
    model = FaceReconstructor(decompose, GridRenderer(64), restore=Grey()).eval()
    photo, one = torch.rand(3, 3, 64, 64), torch.zeros(3, dtype=torch.long)
    assert model.image_size == 64
    torch.testing.assert_close(model.shares(photo, one), torch.ones(3))
    model.restore = None
    small = aligned(photo, 32)
    torch.testing.assert_close(model.shares(photo, one), decompose.shares(small, one))
    assert (model.shares(photo, one) - 1).abs().max() > 1e-4


class Grey(nn.Module):
    """A restorer that makes all photos the same."""

    scale = 1

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        return torch.full_like(photo, 0.5)
