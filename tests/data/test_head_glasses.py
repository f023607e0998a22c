"""Glasses of heads: where rims, lenses, temples and bridge are, and how their meshes close."""

import numpy as np
import pytest

from l2rkit.data.heads import occluders
from l2rkit.data.heads.head_model import to_scene
from l2rkit.data.heads.occluders import SIDES, _tube, glasses

SIDE = 160
TONE = np.float32([0.6, 0.3, 0.1])


@pytest.fixture(scope="module")
def frames(model):
    """The meshes of some glasses: (rim, lens, temple) of the left and right, and the bridge."""
    patched = pytest.MonkeyPatch()
    patched.setattr(occluders, "_part", lambda kind, meshes, gloss: meshes)
    out = [glasses(model, np.random.default_rng(seed), TONE, SIDE) for seed in range(40)]
    patched.undo()
    return out


def test_glasses_are_symmetric_and_before_the_eyes(model, frames):
    eye, flip = model.eye, [-1, 1, 1]
    for meshes in frames[:8]:
        left, right, bridge = meshes[:3], meshes[3:6], meshes[6][0]
        lenses = [left[1][0], right[1][0]]
        np.testing.assert_allclose(lenses[0] * flip, lenses[1], atol=1e-9)
        ring = lenses[1][:40]
        assert ring[:, 2].max() < eye[2] - 0.1
        low, high = ring.min(0), ring.max(0)
        assert low[0] < eye[0] < high[0] and low[1] < eye[1] < high[1]
        np.testing.assert_allclose((low + high)[:2] / 2, eye[:2], atol=0.06)
        outer, inner = ring[ring[:, 0].argmax()], ring[ring[:, 0].argmin()]
        assert outer[2] > inner[2] + 0.05  # bent back towards the ears
        for side, (_, _, temple) in ((-1, left), (1, right)):
            x, z = side * temple[0][:, 0], temple[0][:, 2]
            assert x.min() > 0.4 and z.max() > 0.4  # outside of the eyes, to the ears
        _, rows, ahead = bridge.reshape(3, SIDES, 3).mean(1).T
        assert rows[1] < rows[0] == pytest.approx(rows[2])  # an arch, upwards and forwards
        assert ahead[1] < ahead[0] == pytest.approx(ahead[2])
        across = bridge[:, 0]
        assert across.max() == pytest.approx(-across.min(), abs=0.05)
        assert across.max() == pytest.approx(low[0], abs=0.03)


def test_lenses_fill_their_rims_once(frames):
    for meshes in frames[:4]:
        points, fan = meshes[4][:2]
        x, y = points[:40, 0], points[:40, 1]
        outline = 0.5 * abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))
        edges = points[fan][:, 1:, :2] - points[fan][:, :1, :2]
        areas = 0.5 * np.linalg.det(edges)
        assert (areas > 0).all() or (areas < 0).all()
        assert np.abs(areas).sum() == pytest.approx(outline, rel=1e-6)


def test_a_quarter_of_the_lenses_are_dark(frames):
    dark = [meshes[1][2].max() < 0.2 for meshes in frames]
    assert 0.05 < np.mean(dark) < 0.45
    for meshes, is_dark in zip(frames, dark):
        assert (meshes[1][3] > 0.7) if is_dark else (meshes[1][3] < 0.2)
        assert all(meshes[i][3] == 1 for i in (0, 2, 3, 5, 6))


def test_meshes_of_a_part_keep_their_points_colours_and_opacities(frames):
    meshes = frames[0]
    part = occluders._part("glasses", meshes, 0.35)
    first = 0
    for points, triangles, colour, opacity in meshes:
        own = slice(first, first + len(triangles))
        corners = part.points[part.triangles[own]]
        np.testing.assert_allclose(corners, to_scene(points)[triangles], atol=1e-6)
        np.testing.assert_allclose(part.colour[own], np.tile(colour, (len(triangles), 1)))
        np.testing.assert_allclose(part.opacity[own], opacity)
        first = own.stop
    assert first == len(part.triangles) and part.gloss == 0.35


@pytest.mark.parametrize("closed", [False, True])
def test_tubes_are_round_and_watertight(closed):
    """A circle, or a quarter of it: the area is that of a prism along the line."""
    count = 60
    angle = np.linspace(0, 2 * np.pi if closed else np.pi / 2, count, endpoint=not closed)
    line = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(count)])
    points, triangles = _tube(line, 0.01, closed)
    rings = points.reshape(count, SIDES, 3) - line[:, None]
    np.testing.assert_allclose(np.linalg.norm(rings, axis=2), 0.01)
    along = np.column_stack([-np.sin(angle), np.cos(angle), np.zeros(count)])
    assert np.abs(np.einsum("nsc,nc->ns", rings, along)).max() < 0.01 * 0.03
    edges = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    directed = {tuple(edge) for edge in edges.tolist()}
    assert len(directed) == len(edges)  # neighbours run along a common edge in opposite ways
    alone = [(a, b) for a, b in directed if (b, a) not in directed]
    assert len(alone) == (0 if closed else 2 * SIDES)
    a, b = np.moveaxis(points[triangles][:, 1:] - points[triangles][:, :1], 1, 0)
    area = 0.5 * np.linalg.norm(np.cross(a, b), axis=1).sum()
    around = SIDES * 2 * 0.01 * np.sin(np.pi / SIDES)
    assert area == pytest.approx(around * (2 * np.pi if closed else np.pi / 2), rel=0.01)
