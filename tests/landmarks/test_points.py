"""The mean face and its named points have the layout of a face."""

import numpy as np
import pytest

from l2rkit.landmarks import points as p

X, Y, Z = p.MEAN_FACE.T
RINGS = {"left eye": p.LEFT_EYE, "right eye": p.RIGHT_EYE, "mouth": p.MOUTH, "oval": p.OVAL}


def signed_area(ring: np.ndarray) -> float:
    x, y = X[ring], Y[ring]
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def inside(ring: np.ndarray) -> np.ndarray:
    """(468,): whether each point lies within a ring, by the crossings of a ray to the right."""
    x, y, xs, ys = X[ring], Y[ring], np.roll(X[ring], -1), np.roll(Y[ring], -1)
    crossed = (y > Y[:, None]) != (ys > Y[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        where = x + (Y[:, None] - y) / (ys - y) * (xs - x)
    found = (crossed & (where > X[:, None])).sum(1) % 2 == 1
    found[ring] = False
    return found


def test_the_mean_face_is_its_own_mirror_image():
    assert np.array_equal(p.MIRRORED[p.MIRRORED], np.arange(p.POINTS))
    np.testing.assert_allclose(p.MEAN_FACE[p.MIRRORED] * [-1, 1, 1], p.MEAN_FACE, atol=1e-6)
    middle = np.flatnonzero(np.equal(p.MIRRORED, np.arange(p.POINTS)))
    assert np.abs(X[middle]).max() < 1e-6
    assert (X != 0).sum() + len(middle) == p.POINTS


def test_pairs_are_pairs():
    for left, right in (
        (p.LEFT_EYE, p.RIGHT_EYE),
        (p.LEFT_CHEEK, p.RIGHT_CHEEK),
        ([p.LEFT_EYE_OUTER, p.LEFT_EYE_INNER], [p.RIGHT_EYE_OUTER, p.RIGHT_EYE_INNER]),
        ([p.LEFT_MOUTH], [p.RIGHT_MOUTH]),
    ):
        assert np.array_equal(p.MIRRORED[np.asarray(left)], right)
        assert X[left].max() < 0 < X[right].min()
    for own in (p.MOUTH, p.LIPS, p.OVAL, [p.NOSE_TIP]):
        assert set(p.MIRRORED[np.asarray(own)]) == set(own)


@pytest.mark.parametrize("name", ["left eye", "right eye", "mouth"])
def test_openings_are_rings_with_nothing_inside(name):
    ring = RINGS[name]
    assert len(set(ring)) == len(ring)
    # lips that are closed fold inwards a little
    assert set(np.flatnonzero(inside(ring))) <= (set(p.LIPS) if name == "mouth" else set())
    around = inside(p.OVAL)
    assert around[ring].all()
    # its steps turn once round: it does not cross itself
    step = np.roll(p.MEAN_FACE[ring, :2], -1, 0) - p.MEAN_FACE[ring, :2]
    angles = np.arctan2(step[:, 1], step[:, 0])
    turns = (np.roll(angles, -1) - angles + np.pi) % (2 * np.pi) - np.pi
    assert abs(turns.sum()) == pytest.approx(2 * np.pi)


def test_the_oval_encloses_all_other_points():
    others = np.setdiff1d(np.arange(p.POINTS), p.OVAL)
    assert inside(p.OVAL)[others].all()
    assert abs(signed_area(p.OVAL)) > 10 * abs(signed_area(p.MOUTH))


def test_features_stand_where_faces_have_them():
    assert Z[p.NOSE_TIP] == Z.min() and abs(X[p.NOSE_TIP]) < 1e-6
    eyes, mouth = Y[p.LEFT_EYE].mean(), Y[p.MOUTH].mean()
    assert eyes < Y[p.NOSE_TIP] < mouth
    outer, inner = X[p.RIGHT_EYE_OUTER], X[p.RIGHT_EYE_INNER]
    assert 0 < inner < outer
    # the mouth is about as wide as the pupils are apart, the gap between eyes as wide as one eye
    assert 0.6 < X[p.RIGHT_MOUTH] / ((inner + outer) / 2) < 1.1
    assert 0.8 < 2 * inner / (outer - inner) < 1.6
    assert set(p.MOUTH) <= set(p.LIPS)
    lips = p.LIPS
    assert Y[lips].min() > Y[p.NOSE_TIP] and np.ptp(Y[lips]) < 0.6 * np.ptp(X[lips])
    cheeks = Y[p.LEFT_CHEEK].mean()
    assert eyes < cheeks < mouth


def test_the_outline_is_the_rim_of_the_surface():
    edges = np.sort(np.concatenate([p.TRIANGLES[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]), 1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    assert set(count) == {1, 2}  # a surface: no edge has three sides
    assert set(unique[count == 1].ravel()) == set(p.OVAL)
    assert set(p.TRIANGLES.ravel()) == set(range(p.POINTS))


def test_five_points_of_the_mean_face_are_those_of_an_aligned_crop():
    five = p.five_points(p.MEAN_FACE)
    (lx, ly), (rx, ry), (nx, ny), (mlx, mly), (mrx, mry) = five
    assert lx == pytest.approx(-rx, abs=1e-6) and ly == pytest.approx(ry, abs=1e-6)
    assert mlx == pytest.approx(-mrx, abs=1e-6) and nx == pytest.approx(0, abs=1e-6)
    assert ly < ny < mly == pytest.approx(mry, abs=1e-6)
