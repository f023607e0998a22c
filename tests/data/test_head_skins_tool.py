"""The tools that unwrap portraits onto the head, on known positions and light."""

import sys
from pathlib import Path

import numpy as np
import pytest

from l2rkit.data.heads.atlas import EYE, TEXTURE, landmark_points, texels
from l2rkit.data.heads.capture import rotation
from l2rkit.data.heads.head_model import to_scene
from l2rkit.data.heads.render import TURNING_POINT, project
from l2rkit.landmarks.points import MIRRORED

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "builders"))
from build_head_landmarks import nearest_surface, similarity
from build_head_skins import Layout, ShapeFit, both_eyes, lit_evenly, usual_landmarks


@pytest.fixture(scope="module")
def layout(model):
    return Layout(model)


def as_photo(points, yaw_deg, size=512):
    """(N, 3) px of mean-head points (N, 3) in dm, in a photo of a turned head."""
    turn = rotation(np.array([0, np.radians(yaw_deg), 0])).T
    there = (to_scene(points) - TURNING_POINT) @ turn + TURNING_POINT + [0, 0, 0.3]
    return project(there, size)


@pytest.mark.parametrize("yaw_deg", [0, 20])
def test_texels_are_sought_where_the_photo_shows_them(layout, model, yaw_deg):
    landmarks = as_photo(landmark_points(model, model.mean), yaw_deg)
    places = layout.places(landmarks, layout.affine(landmarks))
    expected = as_photo(texels().rest.reshape(-1, 3), yaw_deg)[:, :2].reshape(places.shape)
    off = np.linalg.norm(places - expected, axis=-1)
    near = layout.inside & (texels().masks["face"] > 0.5) & (layout.eyes + layout.mouth == 0)
    scale = 100 * np.linalg.norm(layout.affine(landmarks)[:2], axis=0).mean() / 10_000  # px a mm
    assert np.median(off[near]) < 1.0 * scale and np.quantile(off[near], 0.95) < 4 * scale
    assert np.median(off[texels().rest[..., 1] < 0.9]) < 6 * scale


def test_light_from_the_side_comes_off(layout):
    """A grey face under a known light is nearly even again; what is even stays."""
    grey = np.full((TEXTURE, TEXTURE, 3), 0.5, np.float32)
    seen = layout.inside.astype(np.float32)
    skin = seen * (1 - layout.eyes) * (1 - layout.lips)
    direction = np.array([0.5, -0.2, -1]) / np.linalg.norm([0.5, -0.2, -1])
    shading = 0.6 + 0.4 * (texels().normal @ direction).clip(0)
    lit = (grey * shading[..., None]).astype(np.float32)

    def variation(colour):
        return np.std(np.log(colour.mean(-1))[skin > 0])

    assert variation(lit_evenly(lit, seen, skin, layout)) < 0.4 * variation(lit)
    assert variation(lit_evenly(grey, seen, skin, layout)) < 0.02


def test_an_eye_that_is_turned_away_is_the_other_ones_mirror():
    colour = np.random.default_rng(0).random((EYE, 2 * EYE, 3)).astype(np.float32)
    known = np.zeros((EYE, 2 * EYE), np.float32)
    known[10:30, 10:30] = 1
    left, right = both_eyes(colour, known)
    np.testing.assert_allclose(right, left[:, ::-1], atol=1e-6)
    known[10:30, EYE + 10 : EYE + 30] = 1
    _, right = both_eyes(colour, known)
    np.testing.assert_allclose(right[12:28, 12:28], colour[12:28, EYE + 12 : EYE + 28], atol=1e-6)


def test_the_fit_finds_a_shape_of_the_model_again(model):
    """Landmarks of a known head lie nearer to the fitted one than to the mean."""
    rng = np.random.default_rng(1)
    shape = rng.normal(0, 0.3, len(model.shape_names))
    shape = 0.5 * (shape + shape[model.shape_mirror])
    true = landmark_points(model, model.mean + model.offsets("shape", shape))
    found = ShapeFit(model)(true)
    head = model.mean
    for name, values in found.items():
        head = head + model.offsets(name, values.astype(np.float32))

    def apart(vertices):
        """dm after turn, scale and shift, which photos do not show."""
        off = similarity(landmark_points(model, vertices), true) - true
        return np.sqrt((off**2).sum(1).mean())

    assert apart(head) < 0.3 * apart(model.mean)


def test_the_usual_landmarks_are_the_mean_and_symmetric(model):
    mean = landmark_points(model, model.mean)
    bump = np.zeros_like(mean)
    bump[:, 2] = 0.05 * np.sin(5 * mean[:, 1])
    turn = rotation(np.array([0.1, 0.2, 0.1]))
    usual = usual_landmarks([(mean + bump) @ turn.T * 3, (mean - bump) @ turn * 2], mean)
    assert np.abs(usual - mean).max() < 0.03  # landmarks are symmetric but for a fraction of a mm
    np.testing.assert_allclose(usual[MIRRORED] * [-1, 1, 1], usual, atol=1e-9)


def test_similarity_and_nearest_surface_know_their_answers(model):
    points = model.mean[::97]
    turn = rotation(np.array([0.1, -0.3, 0.2]))
    moved = points @ (1.7 * turn).T + [1, 2, 3]
    np.testing.assert_allclose(similarity(points, moved), moved, atol=1e-5)
    triangle = model.triangles[1234]
    inside = model.mean[triangle].mean(0)
    found, weights = nearest_surface(inside[None], model.mean, model.triangles)
    at = (model.mean[model.triangles[found]] * weights[..., None]).sum(1)
    assert np.linalg.norm(at - inside) < 0.01


def test_landmarks_of_the_asset_are_symmetric_pairs(model):
    points = landmark_points(model, model.mean)
    assert (np.sign(points[:, 0]) * np.sign(points[MIRRORED, 0]) <= 0).mean() > 0.98
