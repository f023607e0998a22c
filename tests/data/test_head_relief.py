"""The relief of skins: grooves of known lines, folds of known actions, and where skin is bare."""

import cv2
import numpy as np
import pytest
from texels import SIDE, at, rest

from l2rkit.data.heads.atlas import TEXTURE, landmark_points
from l2rkit.data.heads.relief import (
    DEEPEST,
    FLATTENED,
    FOLDS,
    HIGHEST,
    _distance,
    bare_skin,
    bounded,
    expression_height,
    folds,
    height_of,
    painted_height,
)
from l2rkit.data.heads.skins import Skin
from l2rkit.landmarks.points import LEFT_EYE, LIPS, NOSE_TIP, RIGHT_EYE


def lined(contrast, hair=0.0, side=SIDE, row=SIDE // 3):
    """Grey skin with a line across that is darker by `contrast`, as a logarithm."""
    colour, wide = np.full((side, side, 3), 0.5, np.float32), side // SIDE
    colour[row * wide : (row + 1) * wide] *= np.float32(np.exp(-contrast))
    return Skin(colour, None, np.full((side, side), hair, np.float32))


def contrast_of(skin, row=SIDE // 3, column=SIDE // 2):
    """The logarithm of how much darker the line is than the skin around it."""
    grey = np.log(skin.colour.mean(-1))
    return grey[row - 40, column] - grey[row, column]


# Photographed skin


def test_grooves_are_proportional_to_weak_lines_and_saturate():
    row, column = SIDE // 3, SIDE // 2
    depths = [-height_of(lined(c))[0][row, column] for c in (0.005, 0.01, 0.3, 0.6)]
    assert depths[1] == pytest.approx(2 * depths[0], rel=0.05) and depths[0] > 0
    assert depths[2] < depths[3] < 1.6 * depths[2] < -DEEPEST
    ridge = height_of(lined(-0.01))[0][row, column]  # a bright line, as high as the dark is deep
    assert ridge == pytest.approx(depths[1], rel=0.1)


def test_shading_taken_for_relief_leaves_the_colour():
    """A thin line loses FLATTENED of its contrast where skin is bare, and nothing elsewhere."""
    row, column = SIDE // 3, SIDE // 2
    bare = bare_skin(SIDE)[row, column]
    assert bare > 0.9
    kept = contrast_of(height_of(lined(0.2))[1]) / contrast_of(lined(0.2))
    assert 1 - FLATTENED * bare <= kept < 1 - 0.85 * FLATTENED * bare
    red = lined(0.0)
    red.colour[:], red.colour[row, :, 1:] = 1, 0.2
    assert 0 <= height_of(red)[1].colour.min() < height_of(red)[1].colour.max() <= 1
    shaggy = lined(0.2, hair=1.0)
    np.testing.assert_allclose(height_of(shaggy)[1].colour, shaggy.colour, atol=1e-6)
    nowhere = bare_skin(SIDE) == 0
    assert nowhere[row].any()
    same = height_of(lined(0.2))[1].colour[nowhere]
    np.testing.assert_allclose(same, lined(0.2).colour[nowhere], atol=1e-6)


def test_only_bare_skin_and_hair_have_relief():
    row = SIDE // 3
    behind = np.flatnonzero(bare_skin(SIDE)[row] == 0)
    smooth, shaggy = (height_of(lined(0.2, hair=h))[0][row] for h in (0.0, 1.0))
    assert (smooth[behind] == 0).all()
    np.testing.assert_allclose(shaggy[behind], shaggy[SIDE // 2] / 2, rtol=0.1)  # half of it
    assert shaggy[SIDE // 2] == pytest.approx(smooth[SIDE // 2], rel=0.1)


def test_relief_is_the_same_on_textures_of_either_size():
    small = height_of(lined(0.1))[0]
    large = height_of(lined(0.1, side=TEXTURE))[0]
    halved = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    row = SIDE // 3
    near = (slice(row - 12, row + 12), slice(SIDE // 2 - 20, SIDE // 2 + 20))
    np.testing.assert_allclose(halved[near], small[near], atol=0.15 * np.abs(small[near]).max())


# Painted skin


def painted(age, pores=0.0, lines=0.0, strands=0.0, hair=0.0):
    noises = tuple(np.full((SIDE, SIDE), value, np.float32) for value in (pores, lines, strands))
    skin = Skin(np.zeros((SIDE, SIDE, 3)), None, np.full((SIDE, SIDE), hair, np.float32))
    return painted_height(skin, age, noises)


def test_painted_relief_is_of_pores_lines_by_age_and_strands():
    bare = bare_skin(SIDE)
    np.testing.assert_allclose(painted(0.0, pores=1.0), 0.06 * bare, atol=1e-6)
    np.testing.assert_allclose(painted(0.0, pores=-1.0), -0.06 * bare, atol=1e-6)
    assert np.abs(painted(0.0, lines=1.0)).max() == 0  # no lines in the young
    np.testing.assert_array_equal(painted(1.0, lines=-1.0), painted(1.0, lines=0.3))
    deeper = painted(1.0, lines=0.3) - painted(1.0, lines=1.0)
    assert (deeper[bare > 0.5] > 0.01).all() and (deeper[bare == 0] == 0).all()
    half = painted(0.5, lines=0.3) - painted(0.5, lines=1.0)
    np.testing.assert_allclose(half, deeper / 2, atol=1e-6)
    for hair in (0.0, 0.5, 1.0):
        np.testing.assert_allclose(painted(0.0, strands=0.8, hair=hair), 0.24 * hair, atol=1e-6)


def test_folds_of_the_old_stay_on_both_sides():
    height = painted(1.0)
    np.testing.assert_allclose(height, height[:, ::-1], atol=0.03)
    assert (painted(0.0) == 0).all()
    bare = bare_skin(SIDE)
    for x in (-0.25, 0.25):
        assert at(height, x, 0.24) == pytest.approx(-0.3 * at(bare, x, 0.24), rel=0.3)  # smile's
    assert (height >= -0.3 * bare - 1e-6).all()  # also where folds cross
    assert (height[bare == 0] == 0).all()


# Expressions


def heights(model, age=0.5, **actions):
    action = np.zeros(len(model.action_names), np.float32)
    for name, value in actions.items():
        action[model.action_names.index(name)] = value
    return expression_height(action, age, SIDE, model)


def test_folds_deepen_with_the_action_and_the_age(model):
    full = heights(model, mouthSmileLeft=1.0)
    np.testing.assert_allclose(heights(model, mouthSmileLeft=0.5), full / 2, atol=1e-6)
    np.testing.assert_array_equal(heights(model, mouthSmileLeft=1.5), full)
    ages = [-heights(model, age, mouthSmileLeft=1.0).min() for age in (0.0, 0.5, 1.0)]
    assert 0 < ages[0] < ages[1] < ages[2]
    assert ages[1] == pytest.approx((ages[0] + ages[2]) / 2)


def test_a_fold_is_as_deep_as_its_strongest_action(model):
    names = ("mouthSmileLeft", "cheekSquintLeft", "noseSneerLeft")
    nasolabial = folds(SIDE)[0][0] > 0.5
    both = heights(model, mouthSmileLeft=0.4, cheekSquintLeft=0.4)[nasolabial]
    alone = [heights(model, **{name: 0.4})[nasolabial] for name in names]
    for each in alone:
        np.testing.assert_allclose(each, alone[0], atol=0.02)
        assert each.min() < -0.05
    np.testing.assert_allclose(both, alone[0], atol=0.02)


def test_actions_without_sides_fold_both(model):
    raised = heights(model, browInnerUp=1.0)
    np.testing.assert_allclose(raised, raised[:, ::-1], atol=0.03)
    for x in (-0.2, 0.2):
        assert at(raised, x, -0.6) < -0.1


# Masks


def test_folds_are_narrow_on_the_front_and_halved(model):
    for (points, half, _), (left, right) in zip(FOLDS, folds(SIDE)):
        x, y, z = np.moveaxis(rest(), -1, 0)
        away = _distance(np.stack([np.abs(x), y], -1), points)
        assert max(left.max(), right.max()) <= 1 and (left[z > 0.4] < 1e-3).all()
        near = (away < 0.3 * half) & (z < -0.2) & (np.abs(x) > 0.15)
        both = left + right
        assert (both[near] > 0.85).all() and both[away > 2.3 * half].max() < 0.01
        np.testing.assert_allclose(both, both[:, ::-1], atol=0.4)
        assert left[x < -0.1].max() < 0.01 > right[x > 0.1].max()


def test_skin_is_bare_but_for_features_and_the_back(model):
    bare = bare_skin(SIDE)
    assert bare.min() == 0 and bare.max() <= 1 and bare[rest()[..., 2] > 0.75].max() == 0
    points = landmark_points(model, model.mean)
    for ring in (LEFT_EYE, RIGHT_EYE):
        assert np.mean([at(bare, *points[i, :2]) for i in ring]) < 0.3
        x, y = points[ring].mean(0)[:2]
        assert at(bare, x, y - 0.22) < 0.3 and at(bare, x, y - 0.45) > 0.8  # brow, forehead
        assert at(bare, x, y + 0.35) > 0.95 and at(bare, 0.3 * x, 0.27) < 0.3  # cheek, nostril
    lips = [at(bare, *points[i, :2]) for i in LIPS]
    assert 0.2 < np.mean(lips) < 0.55  # lips have some lines
    assert at(bare, *points[NOSE_TIP, :2]) > 0.5


def test_heights_are_bounded_by_the_deepest_and_the_highest():
    np.testing.assert_allclose(
        bounded(np.array([-9, DEEPEST / 2, 0, HIGHEST / 2, 9])),
        [DEEPEST, DEEPEST / 2, 0, HIGHEST / 2, HIGHEST],
    )


def test_distances_from_a_polyline_are_those_of_its_nearest_point():
    line = ((0.0, 0.0), (3.0, 0.0), (3.0, 2.0))
    points = np.random.default_rng(0).uniform(-2, 5, (50, 2))
    share = np.linspace(0, 1, 2001)[:, None]
    a, b, c = np.array(line)
    dense = np.concatenate([a + share * (b - a), b + share * (c - b)])
    nearest = np.linalg.norm(points[:, None] - dense, axis=-1).min(1)
    np.testing.assert_allclose(_distance(points, line), nearest, atol=1e-5)
