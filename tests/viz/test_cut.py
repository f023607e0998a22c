"""A cut through triangles with known areas."""

import numpy as np
import pytest

from l2rkit.geometry import grid_triangles
from l2rkit.viz.cut import cut

SIZE = 9
LINE = np.arange(SIZE, dtype=float)
POINTS = np.stack(np.meshgrid(LINE, LINE), -1).reshape(-1, 2)
TRIANGLES = grid_triangles(SIZE, SIZE).numpy()


def areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    p, q, r = points[triangles].transpose(1, 0, 2)
    (ax, ay), (bx, by) = (q - p).T, (r - p).T
    return (ax * by - ay * bx) / 2


@pytest.mark.parametrize("slope", [(1.0, 0.0), (0.3, 0.8), (-0.7, 0.2), (-0.1, -1.0)])
def test_a_straight_cut_leaves_what_lies_on_its_side(slope):
    level = (POINTS - (3.6, 4.3)) @ slope
    left = cut(TRIANGLES, level)
    points = left.of(POINTS)
    assert ((points - (3.6, 4.3)) @ slope > -1e-9).all()
    on_rim = left.inner != left.outer
    np.testing.assert_allclose(left.of(level[:, None])[on_rim], 0, atol=1e-9)
    assert len(np.unique(points.round(9), axis=0)) == len(points)  # each vertex is there once
    own, whole = areas(points, left.triangles), areas(POINTS, TRIANGLES)
    assert np.sign(own).tolist() == [np.sign(whole[0])] * len(own)  # none is turned round
    fine = (np.stack(np.meshgrid(*[np.arange(0.005, SIZE - 1, 0.01)] * 2), -1) - (3.6, 4.3)) @ slope
    assert np.abs(own).sum() == pytest.approx((fine > 0).mean() * (SIZE - 1) ** 2, rel=1e-3)


def test_what_is_all_inside_stays_as_it_is():
    left = cut(TRIANGLES, np.ones(SIZE**2))
    assert (left.inner[left.triangles] == TRIANGLES).all() and (left.way == 0).all()
    assert len(cut(TRIANGLES, -np.ones(SIZE**2)).triangles) == 0


def test_a_disc_is_as_round_as_straight_pieces_can_be():
    level = 3.3 - np.hypot(*(POINTS - 4).T)
    points = cut(TRIANGLES, level).of(POINTS)
    radius = np.hypot(*(points - 4).T)
    assert radius.max() < 3.35 and (radius > 3.2).sum() > 20
