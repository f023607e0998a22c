"""Synthetic heads: equal seeds give equal people, and their maps are consistent."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from l2rkit.data.heads import SyntheticHeads, random_capture, random_person
from l2rkit.data.heads.capture import rotation
from l2rkit.data.heads.dataset import FIELDS, make_images, pack, person_id, unpack
from l2rkit.data.heads.render import (
    BACKGROUND_DEPTH,
    TAN_HALF_VIEW,
    person_head,
    render_head,
    shade,
)
from l2rkit.render.mesh_raster import rasterize_mesh

MIRROR_X = np.float32([-1, 1, 1])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return str(tmp_path_factory.mktemp("heads"))


@pytest.fixture(scope="module")
def photos():
    """Eight finished samples of 96 px, as the dataset makes them."""
    return list(make_images(range(8), seed=3, split="test", size=96))


# The head model


def test_asset_is_small_and_names_its_source():
    from l2rkit.data.heads.head_model import ASSET

    assert ASSET.stat().st_size < 4 * 2**20
    assert "CC0" in str(np.load(ASSET)["source"])


def test_mean_head_is_symmetric_and_around_one(model):
    head = model.vertices()
    np.testing.assert_allclose(head[model.mirror] * MIRROR_X, head, atol=1e-6)
    face = head[model.masks["face"] > 0.5]
    assert 0.9 < face[:, 2].min() < face[:, 2].max() < 1.1


def test_mirrored_coefficients_give_the_mirrored_head(model):
    shape = np.random.default_rng(0).normal(0, 0.3, len(model.shape_names))
    head = model.vertices(shape=shape)
    twin = model.vertices(shape=shape[model.shape_mirror])
    assert np.abs(head[model.mirror] * MIRROR_X - head).max() > 1e-3
    np.testing.assert_allclose(twin, head[model.mirror] * MIRROR_X, atol=1e-6)


def test_an_open_jaw_lowers_the_chin_and_leaves_the_brow(model):
    action = np.zeros(len(model.action_names))
    action[model.action_names.index("jawOpen")] = 1
    moved = model.offsets("action", action)[:, 1]
    assert moved.max() > 0.2 and moved.argmax() in np.flatnonzero(model.mean[:, 1] > 0.3)
    assert np.abs(moved[model.mean[:, 1] < -0.4]).max() < 0.002


def test_wrong_number_of_coefficients_is_refused(model):
    with pytest.raises(ValueError, match="action expects 52 coefficients, got 3"):
        model.vertices(action=np.ones(3))


# The rasterizer


def test_rasterizer_agrees_with_solving_every_pixel():
    rng = np.random.default_rng(1)
    size, vertices = 14, 12
    points = np.column_stack([rng.uniform(-3, 17, (vertices, 2)), rng.uniform(0.8, 1.3, vertices)])
    triangles = rng.permuted(np.tile(np.arange(vertices), (9, 1)), axis=1)[:, :3]
    face, weights, depth = rasterize_mesh(points, triangles, size)
    corners = points * np.column_stack([points[:, 2], points[:, 2], np.ones(vertices)])
    for v in range(size):
        for u in range(size):
            best = (np.inf, -1, np.zeros(3))
            for t, triangle in enumerate(triangles):
                along = np.linalg.solve(corners[triangle].T, [u, v, 1])  # of the ray, per unit z
                if (along >= 0).all():
                    z = 1 / along.sum()
                    best = min(best, (z, t, along * z), key=lambda hit: hit[0])
            assert face[v, u] == best[1]
            np.testing.assert_allclose(weights[v, u], best[2], atol=1e-5)
            assert depth[v, u] == pytest.approx(best[0], rel=1e-6)


# One photo


def test_positive_yaw_moves_the_nose_to_the_left(model):
    nose = model.vertices()[model.mean[:, 2].argmin()] - [0, 0, 1]
    turned = rotation(np.array([0, 0.3, 0])) @ nose
    assert turned[0] == pytest.approx(np.sin(0.3) * nose[2], abs=1e-3) and turned[0] < -0.01
    lowered = rotation(np.array([0.3, 0, 0])) @ nose
    assert lowered[1] > nose[1]


def test_rendered_nose_is_where_the_view_puts_it(model):
    person, capture = (
        make(model, np.random.default_rng(5)) for make in (random_person, random_capture)
    )
    capture.action[:] = 0
    capture.view[:] = [0, 0.25, 0, 0.004, 0, 0]
    head = person_head(model, person)
    depth = render_head(model, person, capture, 128, head)["depth"]
    turned = (head - [0, 0, 1]) @ rotation(capture.view[:3]).T + [0.004, 0, 1]
    tip = turned[turned[:, 2].argmin()]
    row, column = np.unravel_index(depth.argmin(), depth.shape)
    expected = 63.5 / TAN_HALF_VIEW * tip[:2] / tip[2] + 63.5
    assert np.abs(expected - [column, row]).max() < 2.5
    assert depth.min() == pytest.approx(tip[2], abs=1e-3)


def test_image_is_albedo_times_shading_away_from_edges(photos):
    for photo in photos:
        inside = photo["depth"] < BACKGROUND_DEPTH
        shaded = shade(photo["albedo"], photo["normal"], photo["light"], inside)
        difference = np.abs(shaded - photo["img"]).max(2)
        assert np.median(difference) < 0.01 and np.quantile(difference, 0.9) < 0.06


def test_normals_are_unit_face_the_camera_and_agree_with_the_depth(photos):
    for photo in photos:
        depth, normal = photo["depth"].astype(float), photo["normal"]
        np.testing.assert_allclose(np.linalg.norm(normal, axis=2), 1, atol=1e-5)
        assert (normal[..., 2] < 0).all()
        size = len(depth)
        v, u = np.mgrid[:size, :size] - (size - 1) / 2
        step = TAN_HALF_VIEW / ((size - 1) / 2)
        points = np.stack([u * step * depth, v * step * depth, depth], 2)
        across = points[1:-1, 2:] - points[1:-1, :-2]
        down = points[2:, 1:-1] - points[:-2, 1:-1]
        measured = np.cross(down, across)
        measured /= np.linalg.norm(measured, axis=2, keepdims=True)
        smooth = (np.abs(across[..., 2]) < 0.006) & (np.abs(down[..., 2]) < 0.006)
        smooth &= depth[1:-1, 1:-1] < BACKGROUND_DEPTH
        cosine = (measured * normal[1:-1, 1:-1]).sum(2)[smooth].clip(-1, 1)
        angle = np.degrees(np.arccos(cosine))
        assert np.median(angle) < 4.5 and np.quantile(angle, 0.9) < 13  # flat triangles


def test_background_is_far_and_heads_fill_the_frame(photos):
    for photo in photos:
        depth = photo["depth"]
        assert depth.max() <= BACKGROUND_DEPTH and 0.85 < depth.min() < 0.98
        assert 0.5 < (depth < BACKGROUND_DEPTH).mean() < 1.0
        assert depth[48, 48] < 1.02


# The dataset


def test_a_smaller_set_is_the_beginning_of_a_bigger_one(root, tmp_path):
    options = dict(split="val", image_size=24, seed=1, fields=FIELDS)
    small = SyntheticHeads(size=6, root=root, **options)
    big = SyntheticHeads(size=20, root=str(tmp_path), **options)
    assert (len(small), len(big)) == (6, 20)
    for i in (0, 5):
        for field in (*FIELDS, "person", "name"):
            np.testing.assert_array_equal(small[i][field], big[i][field])
    other = next(make_images([0], seed=2, split="val", size=24))
    assert np.abs(other["img"] * 255 - big[0]["img"]).mean() > 5


def test_only_what_is_asked_for_is_drawn(tmp_path, capsys):
    heads = SyntheticHeads("val", 40_000, image_size=16, root=str(tmp_path), fields=FIELDS)
    assert "40,000 synthetic heads of 16 px" in "".join(capsys.readouterr())
    made = list(make_images(range(30_000, 30_002), 0, "val", 16))
    for number, maps in zip((30_000, 30_001), made):
        for field in FIELDS:
            expected = unpack(field, pack(field, maps[field]))
            np.testing.assert_array_equal(heads[number][field], expected)
    assert heads.store.made(40_000) == 4


def test_drawn_by_several_processes_or_one_by_one_the_bytes_are_the_same(tmp_path):
    options = dict(split="val", size=8, image_size=16, fields=FIELDS)
    together = SyntheticHeads(root=str(tmp_path / "a"), **options)
    alone = SyntheticHeads(root=str(tmp_path / "b"), **options)
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        found = list(pool.map(together.__getitem__, range(8)))
    for number in range(7, -1, -1):
        for field in FIELDS:
            np.testing.assert_array_equal(found[number][field], alone[number][field])


def test_samples_hold_what_was_asked_for_and_nothing_else(root):
    heads = SyntheticHeads("val", size=4, image_size=24, seed=1, root=root, fields=["depth"])
    assert {"depth", "person", "name"} <= set(heads[0]) and "img" not in heads[0]
    depth = heads[0]["depth"]
    assert depth.dtype == np.float32 and depth.max() == BACKGROUND_DEPTH
    with pytest.raises(ValueError, match="depht"):
        SyntheticHeads("val", size=4, root=root, fields=["depht"])


def test_people_are_disjoint_between_splits_and_keep_their_face(model):
    everyone = [{person_id(split, i) for i in range(10**6)} for split in ("train", "val", "test")]
    assert not everyone[0] & everyone[1] and not (everyone[0] | everyone[1]) & everyone[2]
    assert person_id("val", 3) == person_id("val", 0) != person_id("val", 4)
    one, same = (random_person(model, np.random.default_rng([0, 1, 7])) for _ in range(2))
    np.testing.assert_array_equal(one.shape, same.shape)
    np.testing.assert_array_equal(one.skin, same.skin)


def test_packing_loses_next_to_nothing(photos):
    photo = photos[0]
    depth, normal = (unpack(f, pack(f, photo[f])) for f in ("depth", "normal"))
    np.testing.assert_allclose(depth, photo["depth"], atol=4e-6)
    assert ((depth < BACKGROUND_DEPTH) == (photo["depth"] < BACKGROUND_DEPTH)).all()
    assert np.degrees(np.arccos((normal * photo["normal"]).sum(2).clip(-1, 1))).max() < 1
