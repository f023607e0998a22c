"""The keypoint baseline reproduces a rendered face in its own view."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from l2rkit.decompose import FaceMeshDecomposer
from l2rkit.geometry import normals, view_of
from l2rkit.landmarks.points import MEAN_FACE
from l2rkit.landmarks.pose import canonical_points
from l2rkit.landmarks.region import face_region
from l2rkit.landmarks.surface import canonical_depth, fair_depth
from l2rkit.metrics.photo import decibels
from l2rkit.refine.albedo import enlarged
from l2rkit.render import GridRenderer
from l2rkit.render.light import fitted_light
from l2rkit.render.shading import shading
from l2rkit.structures import Face, Light
from l2rkit.viz.alone import levels
from tests.landmarks.test_pose import SIZE, VIEWS, landmarks_of

POINTS = torch.from_numpy(MEAN_FACE).double().expand(3, -1, -1)


def face_views():
    return VIEWS * torch.tensor([1, 0.5, 1, 1, 1, 1])


LANDMARKS = landmarks_of(POINTS, face_views())


def known(photos):
    """A detector that knows where the points are."""
    return LANDMARKS[: len(photos)].float().numpy()


def smooth_photos():
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    waves = torch.stack([(x / 9).sin(), (y / 7).cos(), ((x + y) / 11).sin()])[None]
    return (waves.expand(3, -1, -1, -1) / 4 + 0.5).float()


def test_the_photo_comes_back_where_the_face_is():
    photo = smooth_photos()
    face = FaceMeshDecomposer(SIZE, known)(photo)
    drawn = GridRenderer()(face)
    region = face_region(LANDMARKS, SIZE).float() * drawn.mask
    square = ((drawn.image - photo) ** 2 * region).sum((1, 2, 3)) / (3 * region.sum((1, 2, 3)))
    assert (decibels(square) > 26).all()
    assert region.sum() > 0.95 * face_region(LANDMARKS, SIZE).sum()


def test_view_and_shape_are_those_of_the_landmarks():
    face = FaceMeshDecomposer(SIZE, known)(smooth_photos())
    torch.testing.assert_close(face.view.double(), face_views(), atol=1e-5, rtol=0)
    depth, region = fair_depth(POINTS.float(), SIZE)
    assert ((face.depth - depth).abs() * region).max() < 1e-4


def test_the_light_of_a_grey_face_is_found():
    """Its direction; it is taken for somewhat softer than it is, for skin is no grey wall."""
    depth, region = canonical_depth(POINTS[:1].float(), SIZE)
    direction = torch.nn.functional.normalize(torch.tensor([[0.5, -0.3, -1.0]]), dim=1)
    light = Light(torch.tensor([0.5]), torch.tensor([0.5]), direction)
    grey = 0.6 * shading(normals(depth), light).expand(-1, 3, -1, -1)
    found = fitted_light(grey, normals(depth), region)
    cosine = (found.direction * direction).sum().clamp(-1, 1)
    assert math.degrees(cosine.acos()) < 15
    mean = (shading(normals(depth), found) * region).sum() / region.sum()
    assert mean.item() == pytest.approx(1, abs=0.02)
    assert 1 < found.ambient.item() / found.diffuse.item() < 2  # 1 in truth


def test_a_photo_lit_from_the_left_has_light_from_the_left():
    """The light is that of the surfaces which the photo shows."""
    depth, _ = canonical_depth(POINTS.float(), SIZE)
    direction = torch.nn.functional.normalize(torch.tensor([[-0.8, 0.0, -1.0]]), dim=1)
    half, grey = torch.full((3,), 0.5), torch.full((3, 3, SIZE, SIZE), 0.6)
    lit = Face(depth, grey, Light(half, half, direction.expand(3, -1)), face_views().float())
    found = FaceMeshDecomposer(SIZE, known)(GridRenderer()(lit).on_white()).light
    off = (found.direction * direction).sum(1).clamp(-1, 1).acos().rad2deg()
    assert (found.direction[:, 0] < -0.2).all() and (off < 25).all()


def test_light_comes_from_ahead_whatever_the_photo_says():
    depth, region = canonical_depth(POINTS[:1].float(), SIZE)
    away = 1 + normals(depth)[:, 2:].expand(-1, 3, -1, -1)  # brighter where it turns away
    found = fitted_light(away.clamp(0, 1), normals(depth), region)
    assert found.direction[0, 2] < 0 and found.ambient.item() > 0
    dark = fitted_light(torch.zeros(1, 3, SIZE, SIZE), normals(depth), region)
    assert torch.isfinite(dark.packed()).all()


def test_it_looks_through_a_restorer_and_keeps_what_that_shows():
    seen = []

    def watching(photos):
        seen.extend(photos)
        return known(photos)

    class Negative(torch.nn.Module):
        def forward(self, photo):
            return 1 - photo

    photo = smooth_photos()
    face = FaceMeshDecomposer(SIZE, watching, restore=Negative())(photo)
    expected = FaceMeshDecomposer(SIZE, known)(1 - photo)
    torch.testing.assert_close(face.albedo, expected.albedo)
    torch.testing.assert_close(torch.from_numpy(np.stack(seen)[0]), byte(1 - photo)[0])


def byte(photo):
    return (photo * 255).round().byte().permute(0, 2, 3, 1)


def test_the_region_of_the_face_is_that_of_its_own_landmarks():
    face = FaceMeshDecomposer(SIZE, known)(smooth_photos())
    points = canonical_points(LANDMARKS[:3].float(), SIZE)[1]
    assert torch.equal(face.region, canonical_depth(points, SIZE)[1])
    larger = enlarged(face, 2 * SIZE).region
    assert set(larger.unique().tolist()) == {0, 1}
    assert larger.mean().item() == pytest.approx(face.region.mean().item(), rel=0.02)
    half = torch.zeros_like(face.region)
    half[..., : SIZE // 2] = 1
    whole, left = (levels(one) > 0 for one in (face, replace(face, region=face.region * half)))
    assert not left[..., SIZE // 2 + 2 :].any() and whole[..., SIZE // 2 + 2 :].any()


def test_half_precision_moves_no_pixel():
    photo = smooth_photos()
    expected = FaceMeshDecomposer(SIZE, known)(photo)
    with torch.autocast("cpu", torch.bfloat16):
        face = FaceMeshDecomposer(SIZE, known)(photo)
    torch.testing.assert_close(face.view, expected.view)
    torch.testing.assert_close(face.albedo, expected.albedo, atol=0.02, rtol=0)


def test_wrong_photos_are_refused():
    with pytest.raises(ValueError, match=r"expects photos \(B, 3, 64, 64\)"):
        FaceMeshDecomposer(64)(torch.zeros(1, 3, 32, 32))


def test_a_real_face_of_a_head_is_turned_as_it_is():
    from l2rkit.data.heads.dataset import make_images

    heads = list(make_images([0, 4, 8, 12], seed=0, split="test", size=128))
    photo = torch.from_numpy(np.stack([head["img"] for head in heads])).permute(0, 3, 1, 2).float()
    face = FaceMeshDecomposer(128)(photo)
    true = torch.from_numpy(np.stack([head["view"] for head in heads])).float()
    off = (face.view[:, :3] - true[:, :3]).rad2deg().abs()
    assert off[:, 1].median() < 5 and off.max() < 20
    ahead = GridRenderer()(face.with_view(view_of()))
    assert ahead.mask[..., 32:96, 32:96].all()
    assert isinstance(face, Face)
