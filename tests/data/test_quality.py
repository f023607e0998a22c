"""Quality flags are raised on spoiled photos, and not on the original samples."""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from portraits import NUMBERS, landmarks, portrait

from l2rkit.data.crops import TEMPLATE, fit_similarity, warp
from l2rkit.data.quality import (
    CUT,
    HIDDEN,
    LOW_SCORE,
    PROFILE_DEG,
    SMALLEST,
    Quality,
    outside,
    quality,
    resized_matrix,
)
from l2rkit.landmarks import FaceMesh
from l2rkit.landmarks.painted import PAINTERS

SIZE = 128
SOME = (1, 3, 5, 8)  # of the portraits
GOOD = dict(score=0.9, width=100.0, outside=0.0, yaw_deg=0.0, hidden=-3.0)


def matrix(number: int) -> np.ndarray:
    return fit_similarity(landmarks(number), TEMPLATE * SIZE - 0.5)


@cache
def points(number: int) -> np.ndarray:
    """(468, 3) px of the portrait."""
    find = FaceMesh(rounds=2, mirrored=False)
    found = find([warp(portrait(number), matrix(number), SIZE)])[0]
    back = cv2.invertAffineTransform(matrix(number))
    found[:, :2] = found[:, :2] @ back[:, :2].T + back[:, 2]
    return found


@pytest.mark.parametrize("number", NUMBERS)
def test_samples_have_no_flags(number: int) -> None:
    seen = quality(portrait(number), matrix(number), SIZE, 0.9)
    assert seen.flags == ()
    across = np.ptp(points(number)[:, 0])
    assert seen.width == pytest.approx(across, rel=0.05) and seen.outside < 1e-6


@pytest.mark.parametrize("kind", PAINTERS)
def test_what_covers_a_face_is_seen(kind: str) -> None:
    raised = [
        quality(
            PAINTERS[kind](portrait(number), points(number), np.random.default_rng(number)),
            matrix(number),
            SIZE,
        ).flags
        for number in SOME
    ]
    assert sum("occluded" in flags for flags in raised) >= len(SOME) - 2 * (kind == "thing"), raised


@pytest.mark.parametrize("side", ["left", "right", "below"])
def test_a_cut_face_is_flagged_and_its_neighbourhood_may_be_cut(side: str) -> None:
    low, high = points(4)[:, :2].min(0), points(4)[:, :2].max(0)
    for kept, cut in ((0.6, True), (1.05, False)):  # of the face's box
        near, far = np.rint(high - kept * (high - low)), np.rint(low + kept * (high - low))
        left = int(near[0]) if side == "left" else 0
        across = slice(left, int(far[0]) if side == "right" else None)
        photo = portrait(4)[: int(far[1]) if side == "below" else None, across]
        first = matrix(4)
        first[:, 2] += first[:, :2] @ [left, 0]
        seen = quality(np.ascontiguousarray(photo), first, SIZE)
        assert ("cut" in seen.flags) == cut, seen


def test_the_share_outside_is_that_of_areas() -> None:
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [5, 5]], float)
    same = np.eye(2, 3)
    assert outside(square, same, (100, 100)) == 0
    shifted = np.array([[1, 0, 2.5], [0, 1, 0.5]])  # the photo begins at x 2, y 0
    assert outside(square, shifted, (100, 100)) == pytest.approx(0.2)
    doubled = np.array([[2, 0, 1.0], [0, 2, 1.0]])  # 4 x 4 px of the photo are 8 x 8
    assert outside(square, doubled, (4, 4, 3)) == pytest.approx(0.36)
    assert outside(np.zeros((5, 2)), same, (4, 4)) == 0  # no area at all


@pytest.mark.parametrize(("across", "flags"), [(10.0, True), (30.0, False)])
def test_a_small_face_is_flagged_by_its_width(across: float, flags: bool) -> None:
    photo, first = portrait(4), matrix(4)
    scale = across / float(np.ptp(points(4)[:, 0]))
    shape = [round(side * scale) for side in photo.shape[1::-1]]
    small = cv2.resize(photo, shape, interpolation=cv2.INTER_AREA)
    seen = quality(small, resized(first, small, photo), SIZE)
    assert seen.width == pytest.approx(across, rel=0.15)
    assert ("too small" in seen.flags) == flags


def resized(first: np.ndarray, small: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """The matrix to the same crop from the smaller photo."""
    step = np.divide(photo.shape[1::-1], small.shape[1::-1])
    moved = first.copy()
    moved[:, 2] += first[:, :2] @ (0.5 * step - 0.5)
    moved[:, :2] *= step
    return moved


def test_a_mirrored_face_looks_the_other_way() -> None:
    photo = portrait(1)
    there = landmarks(1)[[1, 0, 2, 4, 3]] * [-1, 1] + [photo.shape[1] - 1, 0]
    turned = fit_similarity(there, TEMPLATE * SIZE - 0.5)
    own = quality(photo, matrix(1), SIZE).yaw_deg
    other = quality(np.ascontiguousarray(photo[:, ::-1]), turned, SIZE).yaw_deg
    assert abs(own) > 5 and other == pytest.approx(-own, abs=4)


def limits() -> list[tuple[str, Callable[[float], float], float]]:
    one: list = [("occluded", "hidden", HIDDEN, 1), ("cut", "outside", CUT, 1)]
    one += [("too small", "width", SMALLEST, -1), ("low score", "score", LOW_SCORE, -1)]
    return [*one, ("profile", "yaw_deg", PROFILE_DEG, 1), ("profile", "yaw_deg", -PROFILE_DEG, -1)]


@pytest.mark.parametrize(("flag", "number", "limit", "sign"), limits())
def test_each_number_has_its_flag(flag: str, number: str, limit: float, sign: int) -> None:
    beyond, within = (Quality(**GOOD | {number: limit + s * sign * 0.01}) for s in (1, -1))
    assert beyond.flags == (flag,) and within.flags == ()


def test_without_a_detector_there_is_no_low_score() -> None:
    assert Quality(**GOOD | dict(score=float("nan"))).flags == ()


def test_the_matrix_of_a_larger_crop_has_the_same_edges() -> None:
    first = np.array([[0.5, 0, 3.0], [0, 0.5, -2.0]])
    corner = np.linalg.solve(first[:, :2], [-0.5, -0.5] - first[:, 2])  # the crop's outer corner
    larger = resized_matrix(first, 4.0)
    np.testing.assert_allclose(larger[:, :2] @ corner + larger[:, 2], [-0.5, -0.5])


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_nothing_is_no_error(value: int) -> None:
    photo = np.full((40, 60, 3), value, np.uint8)
    seen = quality(photo, np.eye(2, 3) * 3, SIZE)
    assert "occluded" in seen.flags
