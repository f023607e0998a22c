"""Skins, reliefs and characters of version 2, on textures and portraits that are known."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from texels import SIDE, at, rest, small

from l2rkit.data.heads import character, random_person
from l2rkit.data.heads.atlas import EYE, TEXTURE, skin_uv, texels
from l2rkit.data.heads.character import (
    PAINTED,
    VARIATION,
    WIDER,
    _noises,
    _variation,
    painted_skin,
    placed_head,
    random_character,
    texture_side,
)
from l2rkit.data.heads.head_model import SCALE, to_scene
from l2rkit.data.heads.person import SIDE_SPREAD, USUAL
from l2rkit.data.heads.portrait import EYE_GLOSS
from l2rkit.data.heads.skins import (
    OF_REGION,
    REGIONS,
    Skin,
    Skins,
    _tone,
    mixed,
    mixed_shape,
    recoloured,
    regions,
)
from l2rkit.render.mesh_raster import vertex_normals


def flat(colour=0.5, eyes=0.5, hair=0.0):
    return Skin(
        np.tile(np.float32(colour), (SIDE, SIDE, 1 if np.ndim(colour) else 3)),
        np.full((24, 48, 3), eyes, np.float32),
        np.full((SIDE, SIDE), hair, np.float32),
    )


def portraits(tones, people, modes, split="train"):
    """N skins of one grey each, skin and eyes; the coefficients of number i are all i + 1."""
    count, atlases, hairs = len(tones), [], []
    for tone in tones:
        atlas = np.full((TEXTURE + EYE, TEXTURE, 3), round(255 * tone), np.uint8)
        atlases.append(cv2.imencode(".jpg", atlas)[1].ravel())
        hairs.append(cv2.imencode(".png", np.zeros((SIDE, SIDE), np.uint8))[1].ravel())
    numbered = np.arange(1, count + 1, dtype=np.float32)[:, None]
    return Skins(
        split=np.array([split] * count), person=np.array(people),
        shape=np.tile(numbered, (1, modes)), macro=np.tile(numbered, (1, 18)),
        weight=np.tile(numbered, (1, 4)), atlas=tuple(atlases), hair=tuple(hairs),
    )  # fmt: skip


# Portraits


def test_a_portrait_is_decoded_as_rgb_with_two_eyes_and_hair():
    atlas = np.zeros((TEXTURE + EYE, TEXTURE, 3), np.uint8)  # BGR
    atlas[:TEXTURE] = (0, 64, 255)
    atlas[TEXTURE:, :EYE], atlas[TEXTURE:, EYE : 2 * EYE] = 255, 64
    hair = np.zeros((SIDE, SIDE), np.uint8)
    hair[: SIDE // 2] = 15
    skins = replace(
        portraits([0.5], ["a"], 3),
        atlas=(cv2.imencode(".jpg", atlas, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].ravel(),),
        hair=(cv2.imencode(".png", hair)[1].ravel(),),
    )
    for side in (TEXTURE, SIDE):
        skin, eye = skins.skin(0, side), EYE * side // TEXTURE
        assert skin.colour.shape == (side, side, 3) and skin.eyes.shape == (eye, 2 * eye, 3)
        np.testing.assert_allclose(skin.colour[5:-5, 5:-5].mean((0, 1)), [1, 0.25, 0], atol=0.02)
        np.testing.assert_allclose(skin.eyes[4:-4, 4 : eye - 4], 1, atol=0.05)
        np.testing.assert_allclose(skin.eyes[4:-4, eye + 4 : -4], 0.25, atol=0.05)
        assert skin.hair.shape == (side, side)
        assert (skin.hair[: side // 3] == 1).all() and (skin.hair[-side // 3 :] == 0).all()


def test_the_second_of_a_pair_is_one_of_the_most_similar():
    tones = np.linspace(0.2, 0.8, 11)[np.random.default_rng(0).permutation(11)]
    skins, rng = portraits(tones, ["a"] * 11, 3), np.random.default_rng(0)
    seen = set()
    for _ in range(150):
        first, second = skins.pair("train", rng)
        apart = np.abs(np.log(tones / tones[first]))
        assert first != second and apart[second] <= np.sort(apart)[3] + 0.02  # 3 of 10, or itself
        seen.add((first, second))
    assert len(seen) > 20  # of 33


def test_tones_are_of_bare_cheeks():
    skin = flat((0.8, 0.5, 0.3))
    half = regions(SIDE)["cheeks"] > 0.4
    half[:, : SIDE // 2] = False
    skin.hair[half], skin.colour[half] = 1, 0
    np.testing.assert_allclose(_tone(skin), [0.8, 0.5, 0.3], rtol=1e-4)
    skin.colour[rest()[..., 1] < -0.9] = 1  # the crown does not count
    np.testing.assert_allclose(_tone(skin), [0.8, 0.5, 0.3], rtol=1e-2)


def test_regions_are_soft_ovals_of_the_front():
    masks = regions(SIDE)
    total = sum(masks.values())
    assert total.max() <= 1 + 1e-6 and total[rest()[..., 2] > 0.4].max() == 0
    for name, ((x, y), (across, down)) in REGIONS.items():
        mask = masks[name]
        np.testing.assert_allclose(mask, mask[:, ::-1], atol=0.05)  # both sides
        assert at(mask, x, y) > 0.7
        assert at(mask, x, y + 2.1 * down) < 0.01 and at(mask, x, y - 2.1 * down) < 0.01
        if x + across < 0.7:  # farther the front ends
            assert at(mask, x + across, y) == pytest.approx(np.exp(-2 / 3), abs=0.25)


# Mixtures


def test_mixed_skins_have_the_first_ones_tone():
    first, second = flat((0.3, 0.2, 0.1), eyes=0.2), flat((0.6, 0.5, 0.4), eyes=0.9)
    out = mixed(first, second, tuple(REGIONS))
    np.testing.assert_allclose(out.colour, first.colour, atol=1e-6)
    np.testing.assert_array_equal(out.eyes, second.eyes)
    np.testing.assert_array_equal(mixed(first, second, ("nose", "mouth")).eyes, first.eyes)


def test_what_is_mixed_in_is_scaled_in_range_and_not_on_hair():
    first, second = flat(0.3), flat(0.6)
    nose = np.hypot(*np.moveaxis(rest()[..., :2] - [0, 0.05], -1, 0)) < 0.1
    second.colour[nose] = 0.4
    expected = 0.3 + regions(SIDE)["nose"][nose] * (0.5 * 0.4 - 0.3)
    out = mixed(first, second, ("nose",)).colour
    np.testing.assert_allclose(out[nose], np.tile(expected[:, None], 3), atol=1e-3)
    for shaggy in (0, 1):
        pair = [replace(skin, hair=skin.hair.copy()) for skin in (first, second)]
        pair[shaggy].hair[nose] = 1
        covered = mixed(*pair, ("nose",))
        np.testing.assert_allclose(covered.colour[nose], 0.3, atol=1e-6)
        np.testing.assert_array_equal(covered.hair, pair[0].hair)
    bright = mixed(flat(0.9), replace(second, colour=1.5 - second.colour), ("nose",)).colour
    assert bright.max() <= 1
    unlike = mixed(flat(0.9), flat(0.01), ("nose",)).colour  # 4 times as bright at the most
    assert unlike.min() < 0.9 * 0.3


def test_shapes_are_mixed_by_the_names_of_their_modes(model):
    skins = portraits([0.5, 0.6], ["a", "b"], len(model.shape_names))
    plain = [name.removeprefix("l-").removeprefix("r-") for name in model.shape_names]
    taken = {}
    for region, prefixes in OF_REGION.items():
        shape = mixed_shape(model, skins, 0, 1, (region,))
        np.testing.assert_array_equal(shape, shape[model.shape_mirror])
        taken[region] = {name for name, value in zip(plain, shape) if value == 2}
        assert taken[region] and all(name.startswith(prefixes) for name in taken[region])
        assert (shape == 1).sum() + (shape == 2).sum() == len(plain)
    assert "nose-hump" in taken["nose"] and "eye-scale" in taken["eyes"]
    assert sum(map(len, taken.values())) == len(set().union(*taken.values()))
    assert (mixed_shape(model, skins, 0, 1, ()) == 1).all()


def test_tints_are_slight_stronger_on_hair_and_half_are_mirrored():
    skin = flat((0.5, 0.4, 0.3))
    skin.hair[: SIDE // 4] = 1
    skin.eyes[:, :10] = 0.1  # on the left
    skin.hair[:, :20] = 1
    logs, turned = [], []
    for seed in range(40):
        out = recoloured(skin, np.random.default_rng(seed))
        turned.append(out.hair[-1, -1] == 1)
        eyes, hair = skin.eyes, skin.hair
        if turned[-1]:
            eyes, hair = eyes[:, ::-1], hair[:, ::-1]
        np.testing.assert_array_equal(out.eyes, eyes)
        np.testing.assert_array_equal(out.hair, hair)
        ratio = out.colour / skin.colour
        for part in (hair == 0, hair == 1):
            np.testing.assert_allclose(ratio[part], ratio[part][:1] + 0 * ratio[part], rtol=1e-4)
        logs.append([np.log(ratio[part][0]).mean() for part in (hair == 0, hair == 1)])
    of_skin, of_hair = np.std(logs, axis=0)
    assert 0.02 < of_skin < 0.15 and 2 * of_skin < of_hair < 0.4
    assert 0.3 < np.mean(turned) < 0.7
    white = [recoloured(flat(1.0), np.random.default_rng(seed)).colour.max() for seed in range(8)]
    assert max(white) == 1


# Characters


def test_textures_are_halved_for_small_pictures():
    assert [texture_side(size) for size in (16, 64, 65, 128, 256)] == [SIDE] * 2 + [TEXTURE] * 3


def test_hair_lifts_the_scalp_where_the_texture_has_it(model):
    ramp = np.tile((np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE, (SIDE, 1))
    shape = dict(shape=np.random.default_rng(0).normal(0, 0.3, len(model.shape_names)))
    bald = placed_head(model, shape, replace(flat(), hair=ramp), 0.0)
    hairy = placed_head(model, shape, replace(flat(), hair=ramp), 0.3)
    weights = model.masks["face"] / model.masks["face"].sum()
    np.testing.assert_allclose(weights @ bald, weights @ to_scene(model.mean), atol=1e-5)
    lifted = ((hairy - bald) * vertex_normals(bald, model.triangles)).sum(1) / (0.3 * SCALE)
    u, y = skin_uv(model.mean)[:, 0], model.mean[:, 1]
    skin, ears = model.part == 0, model.masks["ears"]
    above = skin & (y < -0.4) & (u > 0.01) & (u < 0.99)
    np.testing.assert_allclose(lifted[above], (u * (1 - ears))[above], atol=2e-3)
    for nowhere in (~skin, y > 0.2, ears == 1):
        np.testing.assert_array_equal(hairy[nowhere], bald[nowhere])
    assert 0.1 < np.median(lifted[skin & (np.abs(y + 0.1) < 0.05) & (u > 0.4) & (u < 0.6)]) < 0.4


def test_painted_skins_show_the_persons_colours_in_their_places(model):
    person = random_person(model, np.random.default_rng(0))
    person = replace(person, baldness=0.0, beard=0.0)
    own = painted_skin(model, person, SIDE)
    assert own.hair[small(texels().masks["ears"]) == 1].max() == 0
    assert own.hair[rest()[..., 1] < -1.2].min() == 1
    assert painted_skin(model, replace(person, baldness=1.0), SIDE).hair.max() == 0
    mouth = small(texels().masks["lips"])
    lips = painted_skin(model, replace(person, lips=1 - person.lips), SIDE)
    changed = np.abs(lips.colour - own.colour).max(-1)
    assert changed[mouth > 0.95].min() > 0 and changed[mouth == 0].max() == 0
    iris = painted_skin(model, replace(person, iris=1 - person.iris), SIDE)
    changed = np.abs(iris.eyes - own.eyes).max(-1)
    np.testing.assert_array_equal(iris.colour, own.colour)
    for patch in (changed[:, :24], changed[:, 24:]):
        assert patch[9, 12] > 0.02 and patch[:3].max() < 1e-6
    assert own.eyes.max() > 0.7  # the whites
    dark = own.colour.mean(-1)[small(texels().openness) < 0.05]
    assert dark.mean() < 0.8 * own.colour.mean(-1)[own.hair == 0].mean()


def test_shapes_vary_about_wider_eyes_and_are_almost_symmetric(model):
    rng = np.random.default_rng(0)
    drawn = np.array([_variation(model, rng) for _ in range(400)])
    usual = np.array([USUAL.get(name, 0) for name in model.shape_names])
    mirror, numbers = model.shape_mirror, np.arange(len(usual))
    left = np.minimum(mirror, numbers)
    np.testing.assert_allclose(drawn.mean(0), WIDER * usual[left], atol=0.04)
    own = mirror == numbers
    assert np.std(drawn[:, own]) == pytest.approx(VARIATION, rel=0.03)
    apart = (drawn - drawn[:, mirror])[:, left < numbers]
    assert np.std(apart) == pytest.approx(np.sqrt(2) * SIDE_SPREAD, rel=0.05)


def test_lines_run_across_the_face_and_strands_down():
    pores, lines, strands = _noises(SIDE, np.random.default_rng(0))
    face = (rest()[..., 2] < 0) & (np.abs(rest()[..., 1]) < 0.7)

    def changes(picture):
        return [np.abs(np.gradient(picture, axis=axis))[face].mean() for axis in (0, 1)]

    down, across = changes(lines)
    assert down > 1.5 * across
    down, across = changes(strands)
    assert across > 1.5 * down
    assert np.mean(changes(pores)) > 2 * np.mean(changes(lines))


@pytest.fixture
def quick(monkeypatch, model):
    """Portraits of one grey each, two women and two men; what does not matter is left out."""
    people = ["x_female_1", "x_male_2", "x_female_3", "x_male_4"]
    skins = portraits([0.3, 0.4, 0.5, 0.6], people, len(model.shape_names))
    seen = {}

    def placed(model, coefficients, skin, volume):
        seen.update(coefficients=coefficients, volume=volume)

    def worn(model, rng, skin, person, male, side):
        seen.update(male=male)
        return ()

    monkeypatch.setattr(Skins, "load", lambda: skins)
    monkeypatch.setattr(character, "placed_head", placed)
    monkeypatch.setattr(character, "random_occluders", worn)
    monkeypatch.setattr(character, "height_of", lambda skin: (9, replace(skin, hair=skin.hair + 1)))
    monkeypatch.setattr(character, "painted_skin", lambda *_: None)
    monkeypatch.setattr(character, "painted_height", lambda *_: None)
    monkeypatch.setattr(character, "_noises", lambda *_: None)
    monkeypatch.setattr(character, "_variation", lambda model, rng: 0.0)
    return skins, seen


def test_characters_are_mixed_of_two_portraits(quick, model):
    skins, seen = quick
    eyes = model.shape_names.index("l-eye-scale"), model.shape_names.index("r-eye-scale")
    of_second, tints, ages, painted = [], [], [], 0
    for seed in range(60):
        person = random_character(model, np.random.default_rng(seed), "train", SIDE)
        if not person.portraits:
            painted += 1
            continue
        first, second = person.portraits
        assert person.height == 9 and (person.skin.hair == 1).all()  # from the relief
        assert 0 < person.gloss < EYE_GLOSS and 0 <= seen["volume"] < 0.3
        ages.append(person.age)
        assert seen["male"] == ("_male_" in skins.person[first])
        for basis in ("macro", "weight"):
            assert (seen["coefficients"][basis] == first + 1).all()
        shape = seen["coefficients"]["shape"]
        assert (shape[[0]] == first + 1).all()  # the head's
        assert set(shape) <= {first + 1, second + 1}
        grey = skins.skin(second if shape[eyes[0]] == second + 1 else first, SIDE).eyes.mean()
        assert shape[eyes[0]] == shape[eyes[1]] and person.skin.eyes.mean() == pytest.approx(grey)
        of_second.append(shape[eyes[0]] == second + 1)
        tints.append(np.log(person.skin.colour.mean() / skins.skin(first, SIDE).colour.mean()))
    assert painted / 60 == pytest.approx(PAINTED, abs=0.15)
    assert 0.3 < np.mean(of_second) < 0.7
    assert 0.01 < np.std(tints) < 0.3
    assert 0 <= min(ages) < 0.3 and 0.8 < max(ages) <= 1


@pytest.mark.parametrize(
    ("kind", "share", "male"),
    [
        ("male-young", 0.9, True),
        ("male-old", 0.6, True),
        ("male-old", 0.4, False),
        ("female-old", 1.0, False),
        ("male-child", 1.0, False),
    ],
)
def test_beards_are_for_painted_men(quick, model, monkeypatch, kind, share, male):
    person = random_person(model, np.random.default_rng(0))
    shares = {f"asian-{kind}": share, "african-female-young": 1 - share}
    macro = np.array([shares.get(name, 0) for name in model.macro_names])
    known = replace(person, macro=macro, volume=0.1, baldness=1.0)
    monkeypatch.setattr(character, "random_person", lambda *_: known)
    monkeypatch.setattr(character, "PAINTED", 1.0)
    made = random_character(model, np.random.default_rng(0), "train", SIDE)
    assert made.portraits == () and quick[1]["male"] == male and quick[1]["volume"] == 0
    assert all(values is getattr(known, k) for k, values in quick[1]["coefficients"].items())
