"""Portraits of version 2: what a scene does to a known head, and how scenes are drawn."""

import numpy as np
import pytest
from plain_heads import SIDE, capture, person

from l2rkit.data.heads.capture import random_capture
from l2rkit.data.heads.head_model import SCALE
from l2rkit.data.heads.portrait import render_portrait
from l2rkit.data.heads.portrait_scene import (
    BRIGHT,
    BRIGHTER,
    EXPRESSIONS,
    NEUTRAL,
    PALETTE,
    SECOND,
    UNEVEN,
    WINK,
    background,
    expression,
    random_portrait_capture,
)
from l2rkit.data.heads.relief import DEEPEST, expression_height
from l2rkit.data.heads.render import BACKGROUND_DEPTH
from l2rkit.data.heads.skins import Skin

SIZE = 32


# One head


def test_the_background_is_the_grid_unlit_and_the_head_before_it(model):
    grid = np.random.default_rng(0).random((SIZE, SIZE, 3)).astype(np.float32)
    scene = capture(tz=0.5, light=(0.2, 0.1, 0, 0, -1), grid=grid)  # the head is beyond the wall
    photo = render_portrait(model, person(model), scene, SIZE)
    behind = photo["depth"] == BACKGROUND_DEPTH
    assert 0.3 < behind.mean() < 0.9 and photo["depth"].max() == BACKGROUND_DEPTH
    np.testing.assert_allclose(photo["albedo"][behind], grid[behind], atol=1e-6)
    np.testing.assert_array_equal(photo["normal"][behind], np.tile([0, 0, -1], (behind.sum(), 1)))
    assert photo["img"][0].mean() > 0.4 and photo["img"][16, 16].max() < 0.31  # lit: the head alone


def test_pictures_stay_within_black_and_white(model):
    grid = np.zeros((8, 8, 3), np.float32)
    grid[::2] = 1  # bicubic interpolation of stripes overshoots
    scene = capture(light=(1, 1, 0, 0, -1), grid=grid)
    photo = render_portrait(model, person(model, gloss=0.5), scene, SIZE)
    for field in ("img", "albedo"):
        assert photo[field].min() >= 0 and photo[field].max() <= 1


def test_the_left_eye_of_the_patch_is_on_the_left(model):
    eyes = np.zeros((24, 48, 3), np.float32)
    eyes[:, :24, 0], eyes[:, 24:, 1] = 1, 1  # red, then green
    dark = Skin(np.zeros((SIDE, SIDE, 3), np.float32), eyes, np.zeros((SIDE, SIDE), np.float32))
    wide = np.zeros(52, np.float32)
    for end in ("Left", "Right"):
        wide[model.action_names.index("eyeWide" + end)] = 1
    photo = render_portrait(model, person(model, skin=dark), capture(action=wide), 2 * SIZE)
    red, green = ((photo["albedo"][..., k] > 0.8) & (photo["albedo"][..., 2] < 0.1) for k in (0, 1))
    assert red.sum() > 4 and not red[:, SIZE:].any()
    assert green.sum() > 4 and not green[:, :SIZE].any()


def test_glossy_skin_shines_and_eyes_do_so_anyway(model):
    dark = Skin(
        np.zeros((SIDE, SIDE, 3), np.float32),
        np.zeros((24, 48, 3), np.float32),
        np.zeros((SIDE, SIDE), np.float32),
    )
    scene = capture(light=(0, 1, 0, 0, -1))
    dull, shiny = (
        render_portrait(model, person(model, skin=dark, gloss=gloss), scene, SIZE)
        for gloss in (0.0, 0.1)
    )
    shine = shiny["img"] - dull["img"]
    assert dull["img"].max() > 0.02  # an eye
    facing = -dull["normal"][..., 2]
    assert shine.min() >= 0 and shine.max() == pytest.approx(0.1, abs=0.01)
    assert shine[facing > 0.97].mean() > 5 * shine[facing < 0.7].mean()


def test_hair_does_not_shine(model):
    shaggy = Skin(
        np.zeros((SIDE, SIDE, 3), np.float32),
        np.zeros((24, 48, 3), np.float32),
        np.ones((SIDE, SIDE), np.float32),
    )
    dull, shiny = (
        render_portrait(
            model, person(model, skin=shaggy, gloss=g), capture(light=(0, 1, 0, 0, -1)), SIZE
        )["img"]
        for g in (0.0, 1.0)
    )
    np.testing.assert_array_equal(dull, shiny)


def test_an_expression_is_its_offsets_and_the_relief_of_its_folds(model):
    action = np.zeros(52, np.float32)
    for name in ("mouthSmileLeft", "browInnerUp", "eyeSquintRight"):
        action[model.action_names.index(name)] = 0.9
    folds = expression_height(action, 0.5, SIDE, model)
    assert folds.min() < -0.2
    shaped = person(
        model, head=model.vertices() + SCALE * model.offsets("action", action), height=folds
    )
    light = (0.5, 0.5, 0, 0, -1)
    smiling = render_portrait(model, person(model), capture(action=action, light=light), SIZE)
    still = render_portrait(model, shaped, capture(light=light), SIZE)
    for field, values in smiling.items():
        np.testing.assert_allclose(values, still[field], atol=1e-6)


def test_no_relief_is_deeper_than_the_deepest(model):
    deep, deeper = (
        render_portrait(
            model, person(model, height=np.full((SIDE, SIDE), mm, np.float32)), capture(), SIZE
        )
        for mm in (DEEPEST, 3 * DEEPEST)
    )
    np.testing.assert_array_equal(deep["depth"], deeper["depth"])


def test_depth_is_the_distance_of_the_head_without_blends_at_the_outline(model):
    for tz in (0.0, 0.05):
        depth = render_portrait(model, person(model), capture(tz=tz), 2 * SIZE)["depth"]
        assert depth.min() == pytest.approx(model.vertices()[:, 2].min() + tz, abs=1e-3)
        assert 0.05 < (depth == BACKGROUND_DEPTH).mean() < 0.6
        assert not ((depth > 1.12 + tz) & (depth < BACKGROUND_DEPTH)).any()


# The draws


def test_scenes_have_version_1s_views_and_brighter_lights(model):
    for seed in range(4):
        old = random_capture(model, np.random.default_rng(seed))
        new = random_portrait_capture(model, np.random.default_rng(seed))
        np.testing.assert_array_equal(new.view, old.view)
        np.testing.assert_array_equal(new.light[2:], old.light[2:])
        blended = old.light[:2] + BRIGHTER * (np.array(BRIGHT) - old.light[:2])
        np.testing.assert_allclose(new.light[:2], blended, rtol=1e-5)
        rng = np.random.default_rng(seed)
        random_capture(model, rng)
        np.testing.assert_array_equal(new.action, expression(model, rng))
        np.testing.assert_array_equal(new.background, [background(rng)])


@pytest.fixture(scope="module")
def actions(model):
    """{name: (1200,)} of random expressions."""
    rng = np.random.default_rng(0)
    drawn = np.array([expression(model, rng) for _ in range(1200)])
    assert drawn.min() >= 0 and drawn.max() == 1
    return dict(zip(model.action_names, drawn.T))


def test_both_eyes_look_the_same_way(actions):
    to_left = actions["eyeLookOutLeft"] > 0  # the person's left
    np.testing.assert_array_equal(to_left, actions["eyeLookInRight"] > 0)
    np.testing.assert_array_equal(~to_left, actions["eyeLookInLeft"] > 0)
    np.testing.assert_array_equal(~to_left, actions["eyeLookOutRight"] > 0)
    up, down = (actions[f"eyeLook{way}Left"] > 0 for way in ("Up", "Down"))
    np.testing.assert_array_equal(up, ~down)
    assert np.quantile(actions["eyeLookOutLeft"] + actions["eyeLookInLeft"], 0.95) < 0.4
    for half in (to_left, up):
        assert 0.4 < half.mean() < 0.6


def test_expressions_are_as_frequent_as_said(actions):
    gaze = {name for name in actions if name.startswith(("eyeLook", "eyeBlink"))}
    moved = np.array([actions[name] for name in actions if name not in gaze]) > 0
    assert (~moved.any(0)).mean() == pytest.approx(NEUTRAL, abs=0.05)
    assert (actions["eyeBlinkLeft"] > 0).mean() == pytest.approx(WINK, abs=0.02)
    assert actions["eyeBlinkLeft"][actions["eyeBlinkLeft"] > 0].min() > 0.3
    kinds = [{name.removesuffix("X") for name in kind} for kind in EXPRESSIONS]
    pouting = moved.any(0) & (actions["mouthPucker"] > 0)  # in one of the EXPRESSIONS alone
    others = {name for kind in kinds for name in kind} - {"mouthPucker"}
    present = np.array([
        values > 0 for name, values in actions.items()
        if name not in gaze and name.removesuffix("Left").removesuffix("Right") in others
    ])  # fmt: skip
    once, twice = 2 / 8 * (1 - 1 / 8) * SECOND, (1 / 8) * (1 - SECOND) + SECOND / 64
    assert present[:, pouting].any(0).mean() == pytest.approx(once / (once + twice), abs=0.12)


def test_strengths_vary_and_sides_differ_a_little(actions):
    frown, other = actions["mouthFrownLeft"], actions["mouthFrownRight"]
    shown = frown > 0
    np.testing.assert_array_equal(shown, other > 0)
    pressed = actions["mouthPressLeft"][actions["mouthPressLeft"] > 0]
    assert pressed.min() < 0.4 * 0.4 and pressed.max() > 0.8 * 0.4  # of a full strength 0.4
    apart = np.std(frown[shown] / other[shown])
    assert apart == pytest.approx(UNEVEN * np.sqrt(2), rel=0.3)


class Scripted:
    """A generator whose draws are known."""

    def __init__(self, random=(), integers=(), uniform=()):
        self.draws = dict(random=list(random), integers=list(integers), uniform=list(uniform))

    def random(self):
        return self.draws["random"].pop(0)

    def integers(self, *_, **__):
        return self.draws["integers"].pop(0)

    def uniform(self, *_):
        return self.draws["uniform"].pop(0)

    def normal(self, mean=0.0, spread=1.0, size=None):
        return mean if size is None else np.full(size, mean)

    def standard_normal(self, size):
        return np.zeros(size)


def test_two_expressions_add_up(model):
    """Twice the same one, at strengths 0.25 and 0.5."""
    pout = EXPRESSIONS.index({"mouthPucker": 0.5})
    rng = Scripted(random=[1.0, 0.0, 1.0], integers=[pout, pout], uniform=[0.25, 0.5])
    action = expression(model, rng)
    assert action[model.action_names.index("mouthPucker")] == pytest.approx(0.75 * 0.5)
    assert action.sum() == pytest.approx(0.75 * 0.5)


def scripted_background(plain, colours=(0, 1, 2), at=(18, 4), size=(10, 6), slope=0.0):
    """A picture with one rectangle `at` column and row, of the second colour, drawn three times."""
    rectangle = [np.array(at), np.array(size), 1]
    factors = [np.ones((3, 1)), *([] if plain else [1.0] * 3), 0.8, slope]
    drawn = [np.array(colours), *([] if plain else [3, *rectangle * 3])]
    return background(Scripted(random=[0.0 if plain else 1.0], integers=drawn, uniform=factors))


def test_backgrounds_are_blurred_rectangles_on_a_colour():
    picture = scripted_background(plain=False)
    np.testing.assert_allclose(picture[7, 23], PALETTE[1], atol=1e-3)
    for row, column in ((23, 7), (23, 23), (7, 7)):
        np.testing.assert_allclose(picture[row, column], PALETTE[0], atol=1e-3)
    edge = picture[7, 12:24, 0]  # monotone, without a jump
    steps = np.diff(edge) / (PALETTE[1, 0] - PALETTE[0, 0])
    assert steps.min() > -1e-3 and 0.2 < steps.max() < 0.6
    cut = scripted_background(plain=False, at=(-6, -2))  # 4 columns and 4 rows are left
    np.testing.assert_allclose(cut[1, 1], PALETTE[1], atol=0.02)
    np.testing.assert_allclose(cut[[1, 8], [8, 1]], PALETTE[[0, 0]], atol=0.02)


def test_plain_backgrounds_have_one_colour_that_changes_downwards():
    np.testing.assert_allclose(
        scripted_background(True), np.tile(PALETTE[0], (32, 32, 1)), rtol=1e-5
    )
    sloping = scripted_background(True, colours=(1, 1, 1), slope=0.3)
    np.testing.assert_allclose(sloping, sloping[:, :1] + np.zeros((1, 32, 1)), rtol=1e-5)
    np.testing.assert_allclose(sloping[0, 0], 0.7 * PALETTE[1], rtol=1e-5)
    np.testing.assert_allclose(sloping[-1, 0], 1.3 * PALETTE[1], rtol=1e-5)


def test_random_backgrounds_are_in_range_mostly_uneven_and_of_grey_grain():
    rng = np.random.default_rng(0)
    pictures = np.array([background(rng) for _ in range(120)])
    assert pictures.min() >= 0 and pictures.max() <= 1
    plain = np.array([np.std(picture.mean(0), axis=0).max() < 0.02 for picture in pictures])
    assert 0.25 < plain.mean() < 0.6
    slopes = [p[-4:].mean() / p[:4].mean() for p in pictures[plain]]
    assert min(slopes) < 0.95 and max(slopes) > 1.05
    flat = [p for p in pictures[plain] if p.min() > 0 and p.max() < 1]
    tints = [p / p.mean(2, keepdims=True) for p in flat]
    assert np.median([np.ptp(tint, axis=(0, 1)).max() for tint in tints]) < 1e-4
    assert np.median([np.std(p[3].mean(1)) / p.mean() for p in flat]) > 0.01
