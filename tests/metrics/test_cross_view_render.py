"""Renderings in other photos' views, against renderings of known faces."""

from dataclasses import replace

import pytest
import torch
from mmengine.evaluator import Evaluator
from torch.nn import AvgPool2d
from torch.nn.functional import normalize

from l2rkit.errors import DataError
from l2rkit.geometry import view_of
from l2rkit.metrics import CrossViewRenderErrors, psnr, ssim
from l2rkit.metrics.generator import described, frechet
from l2rkit.render import GridRenderer
from l2rkit.structures import Face, Light, Scene, each_tensor, unbatched

SIZE, YAWS = 24, (-45, 0, 45)
NAMES = [f"{who}{yaw:+03d}" for who in ("anna", "bert") for yaw in YAWS]


@pytest.fixture(scope="module")
def faces():
    """Two people, each in three views and under three lights, and the photos of them."""
    torch.manual_seed(0)
    depth = 1 - 0.03 * torch.rand(2, 1, SIZE, SIZE).repeat_interleave(3, 0)
    albedo = torch.rand(2, 3, SIZE, SIZE).repeat_interleave(3, 0)
    sides = torch.tensor([[-0.5, 0, -1], [0, 0, -1], [0.5, 0, -1]]).repeat(2, 1)
    light = Light(torch.full((6,), 0.5), torch.full((6,), 0.4), normalize(sides, dim=1))
    view = torch.stack([view_of(yaw) for yaw in YAWS] * 2)
    face = Face(depth, albedo, light, view)
    return face, GridRenderer()(face)


def measured(face, photo, names=NAMES, **metric):
    evaluator = Evaluator([CrossViewRenderErrors(**metric)])
    rendered = GridRenderer()(face)
    batch = dict(photo=photo * 0, clean=photo, name=names)
    evaluator.process([Scene(photo, face, rendered)], batch)
    return evaluator.evaluate(len(photo)), evaluator.metrics[0].each


def test_the_true_face_is_what_the_other_photos_show(faces):
    face, drawn = faces
    report, each = measured(face, drawn.image)
    assert report["cross_psnr"] == 100
    assert report["cross_ssim"] == pytest.approx(1)
    assert "cross_identity" not in report
    assert report["cross_fmd"] == pytest.approx(0, abs=1e-6)
    assert len(each["cross_psnr"]) == 6


def test_a_face_larger_than_the_photos_is_rendered_at_their_size(faces):
    face, _ = faces
    drawn = GridRenderer(SIZE // 2)(face)
    evaluator = Evaluator([CrossViewRenderErrors()])
    evaluator.process([Scene(drawn.image, face, drawn)], dict(photo=drawn.image, name=NAMES))
    assert evaluator.evaluate(6)["cross_psnr"] == 100


def test_the_distance_is_between_all_photos_and_the_renderings_in_their_views(faces):
    face, drawn = faces
    face = Face(face.depth, face.albedo.flip(1), face.light, face.view)
    features = AvgPool2d(4)
    report, _ = measured(face, drawn.image, features=features)
    photos, looks = [], []
    for number in range(6):
        person, own = divmod(number, 3)
        for b in (b for b in range(3) if b != own):
            there = unbatched(face, 6)[3 * person + b]
            shown = GridRenderer()(
                replace(unbatched(face, 6)[number], light=there.light, view=there.view)
            )
            photo = drawn.image[3 * person + b][None]
            photos.append(described(features(photo)))
            laid = torch.lerp(photo, shown.image, shown.mask)
            looks.append(described(features(laid)))
    expected = frechet(torch.cat(photos), torch.cat(looks))
    assert report["cross_fmd"] == pytest.approx(expected, rel=1e-4)
    assert expected > 1e-4


def test_a_wrong_face_is_compared_with_each_photo_in_its_view_and_light(faces):
    face, drawn = faces
    wrong = face.albedo.clone()
    wrong[1] = wrong[1].flip(1)  # what was seen in Anna's frontal photo
    seen = Face(face.depth, wrong, face.light, face.view)
    report, each = measured(seen, drawn.image, render=dict(type=GridRenderer))
    assert each["cross_psnr"][0] == each["cross_psnr"][5] == 100
    expected_psnr, expected_ssim = [], []
    for b in (0, 2):
        there = unbatched(face, 6)[b]
        other = GridRenderer()(Face(face.depth[1:2], wrong[1:2], there.light, there.view))
        mask, photo = other.mask, drawn.image[b : b + 1]
        error = ((other.image - photo) * mask).square().sum() / (3 * mask.sum())
        expected_psnr.append(-10 * error.log10())
        expected_ssim.append(ssim(photo + (other.image.clamp(0, 1) - photo) * mask, photo))
    assert each["cross_psnr"][1] == pytest.approx(sum(expected_psnr).item() / 2, abs=1e-3)
    assert each["cross_ssim"][1] == pytest.approx(sum(expected_ssim).item() / 2, abs=1e-4)
    assert report["cross_psnr"] == pytest.approx((5 * 100 + each["cross_psnr"][1]) / 6, abs=1e-3)
    assert psnr(drawn.image, drawn.image).min() == 100


def test_identity_is_that_of_the_other_photo_and_of_the_next_face(faces):
    face, drawn = faces

    def codes(photo):
        """Whose photo it is, and from where, as one of six directions; all of photos known."""
        apart = (photo[:, None] - drawn.image[None]).abs().flatten(2).sum(2)
        return torch.eye(6)[apart.argmin(1)]

    report, _ = measured(face, drawn.image, identity=codes)
    assert report["cross_identity"] == 1 and report["cross_impostor"] == 0
    exchanged = Face(face.depth.roll(3, 0), face.albedo.roll(3, 0), face.light, face.view)
    report, _ = measured(exchanged, drawn.image, identity=codes)
    assert report["cross_identity"] == 0 and report["cross_impostor"] == 1


@pytest.mark.parametrize("names", [["a+45", "b+45"], ["a+45", "a-45", "b+45", "b+00", "b-45"]])
def test_faces_require_the_same_number_of_views_at_least_two(faces, names):
    face, drawn = faces
    few = each_tensor(face, lambda part: part[: len(names)])
    with pytest.raises(DataError, match="the same number of views"):
        measured(few, drawn.image[: len(names)], names)
