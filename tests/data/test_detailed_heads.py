"""Heads of version 2: textures lie where landmarks say, relief is of skin's strength and in depth,
normals and shading alike, occluders are marked, and photos are drawn only when asked for."""

import hashlib
import os

import numpy as np
import pytest

from l2rkit.data import DetailedHeads
from l2rkit.data.heads.atlas import (
    TEXTURE,
    eye_texels,
    eye_uv,
    filled,
    landmark_points,
    skin_uv,
    texels,
)
from l2rkit.data.heads.capture import Capture
from l2rkit.data.heads.character import random_character
from l2rkit.data.heads.dataset import pack_row, person_id, unpack
from l2rkit.data.heads.detailed import FIELDS, detailed_images, layout_of
from l2rkit.data.heads.portrait import render_portrait
from l2rkit.data.heads.portrait_scene import random_portrait_capture
from l2rkit.data.heads.relief import (
    DEEPEST,
    FOLDS,
    HIGHEST,
    MM,
    bare_skin,
    expression_height,
    height_of,
)
from l2rkit.data.heads.render import BACKGROUND_DEPTH, TAN_HALF_VIEW
from l2rkit.data.heads.row_store import ROWS, RowStore
from l2rkit.data.heads.skins import ASSET, REGIONS, Skin, Skins, mixed, regions
from l2rkit.data.heads.texturing import surface_gradients
from l2rkit.data.transforms import mirrored
from l2rkit.errors import DataError
from l2rkit.landmarks.points import LEFT_EYE, MIRRORED, NOSE_TIP, RIGHT_EYE

SIDE = TEXTURE // 2


@pytest.fixture(scope="module")
def photos():
    return list(detailed_images(range(24), seed=3, split="test", size=64))


def plain_skin(colour=0.5, hair=0.0):
    flat = np.full((SIDE, SIDE, 3), colour, np.float32)
    return Skin(flat, np.full((24, 48, 3), 0.5, np.float32), np.full((SIDE, SIDE), hair, "f4"))


# The assets


def test_skins_are_small_and_name_their_source():
    assert ASSET.stat().st_size < 6 * 2**20
    assert "CC0" in str(np.load(ASSET)["source"])


def test_no_portrait_is_in_two_splits():
    skins = Skins.load()
    people = [set(skins.person[skins.of_split(split)]) for split in ("train", "val", "test")]
    assert [len(p) for p in people] == [178, 9, 13] and len(set().union(*people)) == 200
    for split in ("train", "val", "test"):
        rng = np.random.default_rng(0)
        pairs = [skins.pair(split, rng) for _ in range(40)]
        assert {skins.split[number] for pair in pairs for number in pair} == {split}
        assert all(a != b for a, b in pairs)


def test_heads_of_a_split_wear_its_portraits(model):
    skins = Skins.load()
    for split in ("val", "test"):
        for number in range(8):
            person = random_character(model, np.random.default_rng(number), split, SIDE)
            assert {skins.split[portrait] for portrait in person.portraits} <= {split}


def test_landmarks_lie_on_the_features(model):
    points = landmark_points(model, model.mean)
    np.testing.assert_allclose(points[MIRRORED] * [-1, 1, 1], points, atol=0.03)
    assert points[NOSE_TIP, 2] < np.sort(points[:, 2])[20]  # among the nearest
    for ring, side in ((LEFT_EYE, -1), (RIGHT_EYE, 1)):
        middle = points[ring].mean(0)
        assert np.linalg.norm(middle[:2] - [side * model.eye[0], model.eye[1]]) < 0.05


# The textures


def test_texels_lie_where_their_coordinates_say():
    known = texels()
    row, column = np.nonzero(known.seen)
    uv = skin_uv(known.rest[row, column]) * TEXTURE - 0.5
    off = np.abs(uv - np.column_stack([column, row])).max(1)
    face = np.abs(known.rest[row, column, 1]) < 0.9  # near the crown columns run together
    assert np.median(off[face]) < 0.1 and np.quantile(off[face], 0.99) < 1


def test_the_texture_is_mirrored_as_the_head_is(model):
    there = skin_uv(model.mean * np.float32([-1, 1, 1]))
    np.testing.assert_allclose(there[:, 0], 1 - skin_uv(model.mean)[:, 0], atol=1e-6)
    np.testing.assert_allclose(
        eye_uv(eye_texels(model)[:, :48], model.eye)[..., 0][0],
        (np.arange(48) + 0.5) / 48,
        atol=1e-5,
    )


def test_filling_keeps_what_is_known_and_reaches_everywhere():
    picture = np.random.default_rng(0).random((32, 32, 3)).astype(np.float32)
    known = np.zeros((32, 32), np.float32)
    known[10:14, 10:14] = 1
    out = filled(picture, known)
    np.testing.assert_allclose(out[10:14, 10:14], picture[10:14, 10:14], atol=1e-6)
    part = picture[10:14, 10:14]
    assert part.min() - 1e-5 <= out.min() and out.max() <= part.max() + 1e-5
    np.testing.assert_allclose(filled(np.full_like(picture, 0.3), known), 0.3, atol=1e-5)


def test_mixing_with_itself_or_with_nothing_changes_nothing():
    skins = Skins.load()
    first, second = (skins.skin(number, SIDE) for number in skins.of_split("val")[:2])
    np.testing.assert_allclose(mixed(first, first, tuple(REGIONS)).colour, first.colour, atol=1e-6)
    np.testing.assert_array_equal(mixed(first, second, ()).colour, first.colour)
    nose = np.abs(mixed(first, second, ("nose",)).colour - first.colour).max(-1)
    assert nose[regions(SIDE)["nose"] > 0.8].mean() > 0.01
    assert nose[regions(SIDE)["nose"] < 1e-3].max() < 2e-3


# The relief


def test_a_dark_line_is_a_groove_and_a_flat_skin_is_flat():
    assert np.abs(height_of(plain_skin())[0]).max() < 1e-6
    skin = plain_skin()
    row = SIDE // 3  # the forehead
    skin.colour[row - 1 : row + 1, 60:100] *= 0.6
    height = height_of(skin)[0]
    assert bare_skin(SIDE)[row, 80] > 0.5
    assert height[row, 80] < -0.1 and np.abs(height[row - 20, 80]) < 0.02


def test_relief_has_the_strength_of_real_skin(model):
    for number in range(12):
        person = random_character(model, np.random.default_rng(number), "train", SIDE)
        assert -0.6 <= DEEPEST <= person.height.min() and person.height.max() <= HIGHEST <= 1.0
        assert person.height.std() > 0.01


def test_actions_draw_folds_on_their_side_alone(model):
    action = np.zeros(len(model.action_names), np.float32)
    assert np.abs(expression_height(action, 1.0, SIDE, model)).max() == 0
    action[model.action_names.index("mouthSmileLeft")] = 1
    moved = np.abs(model.offsets("action", action)).sum(1)
    height = expression_height(action, 1.0, SIDE, model)
    x = texels().rest[::2, ::2, 0]
    assert (moved * model.mean[:, 0]).sum() > 0  # the person's left is at x > 0
    assert height.min() < -0.4 and height[x < -0.1].min() > -0.01
    assert expression_height(action, 0.1, SIDE, model).min() > height.min()
    names = [n for *_, actions in FOLDS for n in actions]
    assert all(n in model.action_names or n + "Left" in model.action_names for n in names)


def test_surface_gradients_of_a_tilted_plane():
    """u = x and v = y on z = x: the gradient of u along the plane is (1, 0, 1) / 2."""
    x, y = np.meshgrid(np.arange(4.0), np.arange(4.0))
    points = np.stack([x, y, x], -1).reshape(-1, 3).astype(np.float32)
    corners = np.arange(9) // 3 * 4 + np.arange(9) % 3
    triangles = np.concatenate([
        np.column_stack([corners, corners + 1, corners + 4]),
        np.column_stack([corners + 1, corners + 5, corners + 4]),
    ]).astype(np.int32)  # fmt: skip
    uv = np.float32(points[:, :2] / 20)
    out = surface_gradients(points, triangles, uv) * 20
    np.testing.assert_allclose(out[:, :3], np.tile([0.5, 0, 0.5], (16, 1)), atol=1e-5)
    np.testing.assert_allclose(out[:, 3:], np.tile([0, 1, 0], (16, 1)), atol=1e-5)


def bumpy(model, size, height):
    """The depth and normals of one head, with and without a relief."""
    person = random_character(model, np.random.default_rng(1), "train", TEXTURE)
    scene = random_portrait_capture(model, np.random.default_rng(4))
    view = np.zeros(6, np.float32)
    scene = Capture(np.zeros_like(scene.action), view, scene.light, scene.background)
    made = dict(vars(person), occluders=())
    return [
        render_portrait(model, type(person)(**(made | dict(height=h))), scene, size)
        for h in (height, np.zeros_like(height))
    ]


def test_relief_is_in_depth_by_its_millimetres(model):
    raised = np.full((TEXTURE, TEXTURE), 0.5, np.float32)
    with_it, without = bumpy(model, 128, raised)
    nearer = (without["depth"] - with_it["depth"])[50:80, 50:80]
    facing = -without["normal"][50:80, 50:80, 2]
    np.testing.assert_allclose(nearer, 0.5 * MM * facing, atol=0.05 * MM)
    flat = np.degrees(np.arccos((with_it["normal"] * without["normal"]).sum(-1).clip(-1, 1)))
    assert flat[50:80, 50:80].max() < 0.1


def test_relief_turns_normals_as_its_depth_does(model):
    """Waves across the forehead: depth and normals have the same gradient."""
    size, waves = 256, 0.3 * np.sin(np.arange(TEXTURE) / TEXTURE * 2 * np.pi * 30)
    height = np.repeat(waves[:, None], TEXTURE, 1).astype(np.float32)
    with_it, without = bumpy(model, size, height)
    bump = (with_it["depth"] - without["depth"]).astype(float)
    per_pixel = 2 * TAN_HALF_VIEW / (size - 1)
    slope = np.gradient(bump, axis=0) / (per_pixel * without["depth"])
    turned = [m["normal"][..., 1] / -m["normal"][..., 2] for m in (with_it, without)]
    bare = (np.abs(with_it["albedo"]).sum(-1) > 0) & (without["depth"] < 1.0)
    bare &= -without["normal"][..., 2] > 0.9
    bare[:40] = bare[110:] = False
    found, expected = slope[bare], (turned[0] - turned[1])[bare]
    assert np.abs(expected).max() > 0.1
    assert np.corrcoef(found, expected)[0, 1] > 0.9
    assert np.polyfit(expected, found, 1)[0] == pytest.approx(1, abs=0.25)


# The photos


def test_maps_agree_and_occluders_are_marked(photos):
    kinds = 0
    for photo in photos:
        np.testing.assert_allclose(np.linalg.norm(photo["normal"], axis=2), 1, atol=1e-5)
        assert (photo["normal"][..., 2] < 0).all()
        assert photo["depth"].max() <= BACKGROUND_DEPTH and 0.8 < photo["depth"].min() < 1.0
        assert 0.4 < (photo["depth"] < BACKGROUND_DEPTH).mean() < 1
        light, inside = photo["light"], photo["depth"] < BACKGROUND_DEPTH
        shading = light[0] + light[1] * (photo["normal"] @ light[2:]).clip(0)
        shaded = photo["albedo"] * np.where(inside, shading, 1)[..., None]
        off = np.abs(shaded - photo["img"]).max(2)
        hidden = photo["occluder"] > 0
        bare = inside & ~hidden
        assert np.median(off[bare]) < 0.05
        if hidden.mean() > 0.02:
            kinds += 1
            assert np.median(off[hidden]) > np.median(off[bare])
    assert 3 <= kinds <= 18


def test_an_unmarked_photo_is_that_of_the_person_without_occluders(model):
    scene = random_portrait_capture(model, np.random.default_rng(4))
    for number in range(40):
        person = random_character(model, np.random.default_rng(number), "train", SIDE)
        if person.occluders:
            break
    bare = type(person)(**(vars(person) | dict(occluders=())))
    worn, alone = (render_portrait(model, each, scene, 64) for each in (person, bare))
    changed = np.abs(worn["img"] - alone["img"]).max(2)
    assert worn["occluder"].any() and not alone["occluder"].any()
    assert changed[worn["occluder"] > 0].mean() > 5 * changed[worn["occluder"] == 0].mean()
    for field in ("depth", "normal", "albedo"):
        np.testing.assert_array_equal(worn[field], alone[field])


def test_photos_do_not_depend_on_the_order_of_rendering():
    alone = next(detailed_images([6], seed=0, split="val", size=32))
    among = list(detailed_images(range(8), seed=0, split="val", size=32))[6]
    for field, values in alone.items():
        np.testing.assert_array_equal(values, among[field])
    other = next(detailed_images([6], seed=1, split="val", size=32))
    assert np.abs(other["img"] - alone["img"]).mean() > 0.02


# The data set


def test_only_what_is_asked_for_is_drawn(tmp_path, capsys):
    heads = DetailedHeads("val", size=40_000, image_size=16, root=str(tmp_path), fields=FIELDS)
    assert "40,000 synthetic heads of 16 px" in "".join(capsys.readouterr())
    assert heads.store.made(40_000) == 0
    sample = heads[30_001]
    assert heads.store.made(40_000) == 4
    assert sample["person"] == person_id("val", 30_001) and sample["name"] == "val-030001"
    first = hashlib.sha256(sample["img"].tobytes()).digest()
    again = DetailedHeads("val", size=30_002, image_size=16, root=str(tmp_path))
    assert hashlib.sha256(again[30_001]["img"].tobytes()).digest() == first
    assert set(FIELDS) <= set(sample)
    shown = (sample["depth"] < BACKGROUND_DEPTH) & (sample["occluder"] == 0)
    np.testing.assert_array_equal(sample["mask"] > 0, shown)


def test_mirrored_samples_mirror_their_occluders(tmp_path):
    sample = DetailedHeads("val", size=4, image_size=16, root=str(tmp_path), fields=FIELDS)[0]
    turned = mirrored(sample)
    for field in ("occluder", "mask", "depth"):
        np.testing.assert_array_equal(turned[field], sample[field][:, ::-1])


def test_wrong_words_are_named(tmp_path):
    with pytest.raises(DataError, match=r"no split 'tset'.*test"):
        DetailedHeads("tset", root=str(tmp_path))
    with pytest.raises(DataError, match=r"no field 'depht'.*depth"):
        DetailedHeads(root=str(tmp_path), fields=["depht"])


def test_packing_loses_next_to_nothing(photos):
    photo = photos[0]
    row = pack_row(layout_of(64), photo)
    depth, normal = (unpack(field, row[field]) for field in ("depth", "normal"))
    np.testing.assert_allclose(depth, photo["depth"], atol=4e-6)
    assert np.degrees(np.arccos((normal * photo["normal"]).sum(2).clip(-1, 1))).max() < 0.05


def test_a_killed_writer_leaves_its_row_unmade(tmp_path):
    layout = dict(a=((3,), np.float32), b=((), np.uint8))
    store, row = RowStore(tmp_path, layout), dict(a=np.ones(3), b=7)
    child = os.fork()
    if child == 0:
        row["b"] = os  # cannot be written: dies after `a`
        try:
            store.write(ROWS + 1, row)
        finally:
            os._exit(9)
    os.waitpid(child, 0)
    assert store.row(ROWS + 1, "ab") is None and store.made(2 * ROWS) == 0
    store.write(ROWS + 1, dict(a=np.ones(3), b=7))
    found = store.row(ROWS + 1, "ab")
    assert found["b"] == 7 and (found["a"] == 1).all() and store.row(ROWS, "ab") is None
    assert store.made(2 * ROWS) == 1 and store.made(ROWS + 1) == 0
