"""Occluders of heads: where each one covers, what it hides, and how its mesh closes."""

from dataclasses import replace

import numpy as np
import pytest
from plain_heads import SIDE, TONE, capture, person

from l2rkit.data.heads import occluders
from l2rkit.data.heads.atlas import skin_uv
from l2rkit.data.heads.head_model import SCALE
from l2rkit.data.heads.occluders import (
    ODDS,
    Part,
    Shell,
    _colour,
    _rest,
    _step,
    _strands,
    beard,
    fringe,
    hair_colour,
    hat,
    random_occluders,
)
from l2rkit.data.heads.portrait import HIDDEN, _outer_skin, _part, _shell, render_portrait
from l2rkit.data.heads.render import BACKGROUND_DEPTH, SUPERSAMPLING, TAN_HALF_VIEW
from l2rkit.data.heads.skins import Skin
from l2rkit.render.mesh_raster import vertex_normals

SIZE = 32
SEEDS = range(6)


def plate(low, high, z, colour=(0, 1, 0), opacity=1.0, gloss=0.0, flipped=False):
    """A part that covers columns low..high and all rows of a picture of SIZE px."""
    per_pixel = 2 * TAN_HALF_VIEW / (SIZE - 1) * z
    x = per_pixel * (np.array([low, high]) - (SIZE - 1) / 2)
    points = np.float32([[a, b, z] for a in x for b in (-0.3, 0.3)])
    triangles = np.int32([[0, 2, 1], [1, 2, 3]] if flipped else [[0, 1, 2], [1, 3, 2]])
    colours, opacities = np.tile(np.float32(colour), (2, 1)), np.full(2, opacity, np.float32)
    return Part("glasses", points, triangles, colours, opacities, gloss)


def covering(model, thickness, cover=1.0):
    cover = np.full((SIDE, SIDE), cover, np.float32)
    colour = np.tile(TONE, (SIDE, SIDE, 1))
    return Shell("hat", np.full(len(model.mean), thickness, np.float32), colour, cover)


# What occluders hide


def test_a_plate_before_the_head_hides_its_columns_and_nothing_of_the_maps(model):
    bare = render_portrait(model, person(model), capture(), SIZE)
    worn = render_portrait(model, person(model, plate(9.5, 19.5, 0.5)), capture(), SIZE)
    inside = np.zeros((SIZE, SIZE), bool)
    inside[:, 10:20] = True
    np.testing.assert_array_equal(worn["occluder"], inside)
    np.testing.assert_allclose(worn["img"][inside], np.tile([0, 1, 0], (inside.sum(), 1)))
    np.testing.assert_array_equal(worn["img"][~inside], bare["img"][~inside])
    for field in ("depth", "normal", "albedo"):
        np.testing.assert_array_equal(worn[field], bare[field])


def test_a_pixel_that_is_half_hidden_is_half_as_bright(model):
    """The left of the two finer columns of column 12 is bare, the right one black."""
    half = person(model, plate(12.1, SIZE, 0.5, colour=(0, 0, 0)))
    photo = render_portrait(model, half, capture(), SIZE)
    np.testing.assert_allclose(photo["img"][14:18, 11:14, 0], [[1, 0.5, 0]] * 4, atol=1e-6)
    np.testing.assert_array_equal(photo["occluder"][14:18, 11:14], [[0, 1, 1]] * 4)


def test_a_plate_behind_the_head_hides_only_the_background(model):
    scene = capture(tz=0.1)
    far = person(model, plate(-9, SIZE + 9, 1.05))  # moves with the head, to 1.15
    bare, worn = (render_portrait(model, each, scene, SIZE) for each in (person(model), far))
    behind, ahead = bare["depth"] == BACKGROUND_DEPTH, bare["depth"] < 1.13
    assert behind.mean() > 0.1 and (worn["occluder"][behind] == 1).mean() > 0.9
    assert ahead.mean() > 0.3 and (worn["occluder"][ahead] == 1).mean() < 0.1  # the outline's
    middle = (slice(14, 18), slice(14, 18))
    np.testing.assert_array_equal(worn["img"][middle], bare["img"][middle])


@pytest.mark.parametrize(
    ("opacities", "left", "marked"),
    [
        ((0.2,), 0.8, 0),
        ((0.2, 0.2), 0.64, 1),
        ((0.13, 0.13), 0.7569, 0),
        ((0.3,), 0.7, 1),
        ((0.3, 0.1), 0.63, 1),
        ((1.0, 0.0), 0.0, 1),
    ],
)
def test_layers_over_each_other_leave_the_product_of_what_each_leaves(
    model, opacities, left, marked
):
    layers = [plate(-1, SIZE, 0.5, colour=(0, 0, 0), opacity=o) for o in opacities]
    photo = render_portrait(model, person(model, *layers), capture(), SIZE)
    assert (1 - left > HIDDEN) == marked and (photo["occluder"] == marked).all()
    np.testing.assert_allclose(photo["img"][14:18, 14:18], left, atol=1e-3)


def test_parts_move_with_the_head_and_lie_between_pixels_as_it_does():
    shift = 3 * 2 * TAN_HALF_VIEW / (SIZE - 1)  # 3 px at the distance 1
    _, opacity, depth = _part(plate(2.2, 29.1, 1.0), capture(), SIZE)
    middles = (np.arange(SIZE * SUPERSAMPLING) + 0.5) / SUPERSAMPLING - 0.5
    np.testing.assert_array_equal(opacity[0], (middles > 2.2) & (middles < 29.1))
    np.testing.assert_allclose(depth[opacity > 0], 1, atol=1e-6)
    moved = _part(plate(2.2, 29.1, 1.0, opacity=0.7), capture(tx=shift), SIZE)[1]
    np.testing.assert_allclose(moved[:, 6:], 0.7 * opacity[:, :-6], atol=1e-6)


def test_triangles_have_their_own_colours():
    two = replace(plate(0, SIZE - 1, 1.0), colour=np.float32([[1, 0, 0], [0, 1, 0]]))
    colour = _part(two, capture(), SIZE)[0]
    np.testing.assert_array_equal(colour[SIZE, 3], [1, 0, 0])
    np.testing.assert_array_equal(colour[SIZE, -4], [0, 1, 0])


@pytest.mark.parametrize("flipped", [False, True])
def test_both_sides_of_a_part_are_lit_from_the_camera_s_side(flipped):
    """Lambert plus a highlight, which is whole where the part mirrors the light."""
    tone = np.float32([0.5, 0.25, 0.1])

    def seen(z, x=0.0):
        light = (0.25, 0.5, x, 0, z)
        part = plate(-1, SIZE, 1.0, colour=tone, gloss=0.3, flipped=flipped)
        return _part(part, capture(light=light), SIZE)[0][SIZE, SIZE]

    np.testing.assert_allclose(seen(-1), tone * 0.75 + 0.3 * 0.5, atol=1e-5)
    # at 60 degrees the highlight, 30 degrees off, is gone but for a rest
    np.testing.assert_allclose(seen(-0.5, 0.75**0.5), tone * 0.5, atol=0.02 * 0.15)
    np.testing.assert_allclose(seen(0.8, -0.6), tone * 0.25, atol=0.02 * 0.15)


def test_parts_are_shaded_smoothly():
    """Halfway from a ridge of 90 degrees to its foot the normal is turned by 22.5 degrees."""
    x, z = np.float32([-0.05, 0, 0.05]), np.float32([1.05, 1, 1.05])
    points = np.float32([[a, b, c] for a, c in zip(x, z) for b in (-0.3, 0.3)])
    corners = [[0, 1, 2], [1, 3, 2], [0, 1, 3], [0, 3, 2]]  # by both diagonals, for symmetry
    triangles = np.int32(corners + [[i + 2 for i in corner] for corner in corners])
    roof = Part("hat", points, triangles, np.ones((8, 3)), np.ones(8), 0.0)
    shading = _part(roof, capture(light=(0, 1, 0, 0, -1)), SIZE)[0][SIZE, :, 0]
    focal = SUPERSAMPLING * (SIZE - 1) / 2 / TAN_HALF_VIEW
    middle = (2 * SIZE - 1) / 2 + focal * 0.025 / 1.025
    found = np.interp(middle, np.arange(2 * SIZE), shading)
    assert found == pytest.approx(np.cos(np.radians(22.5)), abs=0.01)


# Layers over the skin


def test_a_shell_lies_its_thickness_above_the_skin(model):
    scene, points = capture(tz=0.2), model.vertices() + np.float32([0, 0, 0.2])
    normals = vertex_normals(points, model.triangles)
    skin, outer = (
        _shell(covering(model, t), points, normals, 2 * SIZE, scene.light)[2] for t in (0.0, 0.02)
    )
    both = np.isfinite(skin) & np.isfinite(outer)
    raised = (skin[both] - outer[both]) / (0.02 * SCALE)  # more where the skin is tilted
    assert np.quantile(raised, 0.05) == pytest.approx(1, abs=0.1) and np.median(raised) < 2
    assert np.isfinite(outer).sum() > np.isfinite(skin).sum()


def test_a_shell_without_thickness_is_drawn_as_a_part_of_the_same_mesh(model):
    scene, triangles = capture(tz=0.4), _outer_skin()
    head = model.vertices()
    same = Part("hat", head, triangles, np.zeros((len(triangles), 3)), np.ones(len(triangles)), 0.0)
    points = head + np.float32([0, 0, 0.4])
    normals = vertex_normals(points, model.triangles)
    _, opacity, depth = _shell(covering(model, 0.0), points, normals, SIZE, scene.light)
    _, expected, there = _part(same, scene, SIZE)
    assert 0.2 < expected.mean() < 0.8
    front = np.isfinite(depth) & (depth < 1.36)  # before the ears, behind which parts have backs
    np.testing.assert_allclose(depth[front], there[front], atol=1e-6)
    assert (opacity[front] == 1).all() and (depth[expected > 0] < 1.36).mean() > 0.5


def test_shells_show_their_colour_where_they_cover(model):
    shell = covering(model, 0.05)
    shell.cover[:, : SIDE // 2] = 0  # the left half of the head
    worn = render_portrait(model, person(model, shell), capture(), SIZE)
    np.testing.assert_allclose(worn["img"][14:18, 20:24], np.tile(TONE, (4, 4, 1)), atol=1e-5)
    assert (worn["img"][14:18, 8:12] == 1).all()
    assert (worn["occluder"][:, :14] == 0).all() and worn["occluder"][8:28, 20:24].all()


def test_thin_shells_are_lit_as_the_skin_below(model):
    scene = capture(light=(0.2, 0.7, 0.6, -0.48, -0.64))
    painted = person(model, colour=TONE)
    covered = person(model, covering(model, 0.002))
    skin, layer = (render_portrait(model, each, scene, SIZE) for each in (painted, covered))
    hidden = layer["occluder"] > 0
    assert hidden.mean() > 0.3 and np.std(skin["img"][hidden][:, 0]) > 0.05
    off = np.abs(skin["img"] - layer["img"])[hidden].max(-1)
    assert np.median(off) < 0.01 and np.quantile(off, 0.8) < 0.05


def test_shells_leave_out_ears_mouth_and_the_seam(model):
    triangles = _outer_skin()
    assert (model.part[triangles] == 0).all()
    assert model.masks["ears"][triangles].max() < 0.5
    assert model.masks["inside-mouth"][triangles].max() <= 0.5
    assert np.ptp(skin_uv(model.mean)[triangles, 0], axis=1).max() < 0.5
    assert 0.7 < len(triangles) / (model.part[model.triangles] == 0).all(1).sum() < 1


# Which people wear what


def test_occluders_have_their_odds_and_their_own_draws(model, monkeypatch):
    def maker(kind):
        return lambda model, rng, tone, side: (kind, rng.random())

    for name, kind in dict(glasses="glasses", fringe="hair", beard="beard", hat="hat").items():
        monkeypatch.setattr(occluders, name, maker(kind))
    skin = person(model).skin
    someone = type("Person", (), dict(hair=TONE))
    for male in (True, False):
        worn = [
            random_occluders(model, np.random.default_rng(n), skin, someone, male, SIDE)
            for n in range(1500)
        ]
        for kind, odds in ODDS.items():
            share = np.mean([any(each[0] == kind for each in one) for one in worn])
            assert share == pytest.approx(odds[0 if male else 1], abs=0.035)
        assert all(len({draw for _, draw in one}) == len(one) for one in worn)


def test_hair_has_the_colour_of_the_skins_hair_or_of_the_person():
    colour = np.full((10, 10, 3), 0.9, np.float32)
    hair = np.zeros((10, 10), np.float32)
    colour[:2], hair[:2] = TONE, 0.5
    someone = type("Person", (), dict(hair=np.float64([0.1, 0.2, 0.3])))
    np.testing.assert_allclose(hair_colour(Skin(colour, None, hair), someone), TONE, rtol=1e-5)
    bare = Skin(colour, None, 0 * hair)
    np.testing.assert_allclose(hair_colour(bare, someone), [0.1, 0.2, 0.3], rtol=1e-6)


# Where each kind covers


def cover_at(shell, x, y):
    """Mean opacity at the texels near (x, y) dm on the front of the mean head."""
    rest = _rest(SIDE)
    near = np.hypot(rest[..., 0] - x, rest[..., 1] - y) < 0.06
    return shell.cover[near & (rest[..., 2] < 0.3)].mean()


def made(maker, model):
    return [maker(model, np.random.default_rng(seed), TONE, SIDE) for seed in SEEDS]


def test_beards_cover_chins_and_no_lips_foreheads_necks_or_backs(model):
    rest = _rest(SIDE)
    for seed, shell in zip(SEEDS, made(beard, model)):
        reach = np.random.default_rng(seed).uniform(0.25, 0.8)
        assert shell.cover[np.abs(rest[..., 0]) > reach + 0.1].max() == 0
        for x in (-0.12, 0.0, 0.12):
            assert cover_at(shell, x, 0.7) > 0.5
        assert cover_at(shell, 0.0, 0.47) < 0.05
        for nowhere in (
            rest[..., 1] < -0.15, rest[..., 1] > 1.0, rest[..., 2] > 0.3,
            np.abs(rest[..., 0]) > 0.9,
        ):  # fmt: skip
            assert shell.cover[nowhere].max() == 0
        assert shell.thickness[model.mean[:, 1] < -0.2].max() == 0
        assert 0.03 <= shell.thickness.max() <= 0.12 and shell.thickness.min() == 0
        mean = shell.colour[shell.cover > 0.5].mean(0)
        np.testing.assert_allclose(mean / mean[0], TONE / TONE[0], rtol=0.05)
        assert mean[0] == pytest.approx(0.9 * TONE[0], rel=0.15)
    mean = np.mean([shell.cover for shell in made(beard, model)], axis=0)
    cheeks = [(side * rest[..., 0] > 0.45) & (rest[..., 1] < 0.3) for side in (-1, 1)]
    left, right = (mean[cheek].mean() for cheek in cheeks)
    assert left == pytest.approx(right, rel=0.3) and left > 0.01


def test_hair_has_a_parting_and_falls_on_both_sides(model):
    rest, at = _rest(SIDE), model.mean
    thickness = np.mean([shell.thickness for shell in made(fringe, model)], axis=0)
    left, right = (thickness[(side * at[:, 0] > 0.8) & (at[:, 1] < 0)].mean() for side in (-1, 1))
    assert left == pytest.approx(right, rel=0.15)
    for seed, shell in zip(SEEDS, made(fringe, model)):
        parting = np.random.default_rng(seed).uniform(-0.4, 0.4)
        assert shell.cover[(rest[..., 1] < -1.3)].min() > 0.9
        for side in (-1, 1):
            assert cover_at(shell, side * 0.72, -0.1) > 0.7
            assert cover_at(shell, side * 0.3, 0.0) == 0
        front = (rest[..., 2] < 0) & (np.abs(rest[..., 0]) < 0.5) & (rest[..., 1] < 0)
        away = np.abs(rest[..., 0] - parting)
        parted, beside = (
            rest[..., 1][front & where & (shell.cover > 0.5)].max()
            for where in (away < 0.03, (away > 0.3) & (away < 0.4))
        )
        assert parted < beside - 0.08
        assert shell.thickness.min() >= 0
        assert 0.02 < shell.thickness.max() < 1.3 * (0.12 + 0.08) + 1e-6
        narrow = np.abs(at[:, 0]) < 0.6
        assert shell.thickness[(at[:, 1] > 1.1) & narrow].max() == 0
        locks = shell.thickness[(at[:, 1] < 0.3) & narrow]
        assert 0.4 * locks.max() < locks.min() < 0.7 * locks.max()


def test_hats_cover_the_crown_and_reach_lower_behind(model):
    rest = _rest(SIDE)
    for shell in made(hat, model):
        assert shell.cover[rest[..., 1] < -0.85].min() > 0.99
        assert shell.cover[(rest[..., 1] > -0.5) & (rest[..., 2] < -0.5)].max() == 0
        edges = [
            rest[..., 1][there & (shell.cover > 0.5)].max()
            for there in (rest[..., 2] < -0.3, rest[..., 2] > 0.7)
        ]
        assert edges[0] + 0.1 < edges[1]
        assert 0.06 <= shell.thickness.min() == shell.thickness.max() <= 0.16


def test_hats_are_knitted_along_the_head_s_axis_with_a_darker_hem(model):
    """Ribs follow the texture's columns; the hem is 1.6 cm above the edge."""
    y, front = _rest(SIDE)[..., 1], _rest(SIDE)[..., 2] < 0
    front = front & (np.abs(_rest(SIDE)[..., 0]) < 0.5)
    for shell in made(hat, model):
        grey = shell.colour.mean(-1)
        above = y[front & (shell.cover > 0.5)].max() - y
        inner, hem, outer = (
            grey[front & (low < above) & (above < high)].mean()
            for low, high in ((0.2, 0.3), (0.13, 0.19), (0.02, 0.1))
        )
        assert hem < (inner + outer) / 2
        assert np.ptp(shell.colour.mean((0, 1))) < 0.5  # muted
        crown = grey[(y[:, SIDE // 2] < -1.0) & (y[:, SIDE // 2] > -1.25)]
        crown = crown[:, SIDE // 4 : -SIDE // 4]
        assert np.std(crown.mean(0)) > 0.75 * np.std(crown)


# Small parts


def test_smooth_steps_and_colours():
    """3 t^2 - 2 t^3, constant outside of [0, 1]."""
    np.testing.assert_allclose(
        _step(np.array([0, 2, 3, 4, 6, 9.0]), 2, 6), [0, 0, 5 / 32, 0.5, 1, 1]
    )
    np.testing.assert_array_equal(_colour([-1.0, 0.5, 2.0]), np.float32([0, 0.5, 1]))


def test_strands_run_down_the_head():
    strands = _strands(SIDE, np.random.default_rng(0), (6, 0.6, 0.6))
    rest = _rest(SIDE)
    face = (rest[..., 2] < 0) & (np.abs(rest[..., 1]) < 0.8)
    assert np.abs(strands).max() <= 1.2 and strands.std() > 0.1
    down, across = (np.abs(np.gradient(strands, axis=axis))[face].mean() for axis in (0, 1))
    assert across > 2 * down
