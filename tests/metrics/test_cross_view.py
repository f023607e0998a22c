"""Cross-view errors of a surface with known depth from every side."""

import math
import sys

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

from l2rkit.errors import DataError
from l2rkit.geometry import focal, normals, view_of
from l2rkit.metrics import CrossViewErrors
from l2rkit.metrics.cross_view import errors, errors_shifted, shifted
from l2rkit.metrics.masks import common_mask
from l2rkit.structures import BACKGROUND, Face, Light, Rendering, Scene

SIZE, YAWS = 41, (-45, 0, 45)
EDGE = 0.055  # half of the true surface's width
Z = np.linspace(0.88, 1.16, 1401)


def bump(x, y, scale=1.0):
    """The canonical surface z(x, y): a lopsided nose on a wall; `scale` enlarges it about c."""
    x, y = x / scale, y / scale
    return 1 - scale * 0.03 * np.exp(-(((x - 0.004) / 0.035) ** 2) - ((y + 0.006) / 0.04) ** 2)


def turn(yaw_deg):
    """(3, 3) about y."""
    c, s = math.cos(math.radians(yaw_deg)), math.sin(math.radians(yaw_deg))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def depth_in(yaw_deg, edge=EDGE, scale=1.0, size=SIZE):
    """(1, H, W) depth of the bump, turned: every ray is followed until it is behind the surface."""
    line = (np.arange(size) - (size - 1) / 2) / focal(size)
    y, x = np.meshgrid(line, line, indexing="ij")
    ray = np.stack([x, y, np.ones_like(x)], -1)
    points = ray[:, :, None] * Z[:, None] - [0, 0, 1]
    px, py, pz = np.moveaxis(points @ turn(yaw_deg) + [0, 0, 1], -1, 0)
    behind = pz - bump(px, py, scale)
    first = np.argmax(behind > 0, -1)[..., None].clip(1)
    before, after = (np.take_along_axis(behind, i, -1) for i in (first - 1, first))
    share = before / (before - after)
    hit = Z[first - 1] + share * (Z[1] - Z[0])
    there = (abs(np.take_along_axis(value, first, -1)) < edge for value in (px, py))
    seen = (after > 0) & (before <= 0) & np.logical_and(*there)
    return torch.tensor(np.where(seen, hit, BACKGROUND)[None, :, :, 0], dtype=torch.float32)


@pytest.fixture(scope="module")
def truth():
    """(3, 1, H, W)"""
    return torch.stack([depth_in(yaw) for yaw in YAWS])


TRUE = torch.stack([view_of(yaw) for yaw in YAWS])
NAMES = [f"someone{yaw:+03d}" for yaw in YAWS]


def measured(truth, canonical, views=TRUE, own=None, names=NAMES, metric=None):
    """What the metric says of these predictions, which come in batches of 2 and 1."""
    size, count = truth.shape[-1], len(truth)
    own, metric = truth if own is None else own, metric or CrossViewErrors()
    evaluator = Evaluator(metric)
    for part in (slice(0, 2), slice(2, None)):
        depth = canonical.expand(count, 1, size, size)[part]
        n = len(depth)
        picture = torch.ones(n, 3, size, size)
        light = Light(torch.ones(n), torch.zeros(n), torch.tensor([[0.0, 0, -1]]).expand(n, 3))
        face = Face(depth, picture, light, views[part])
        scene = Scene(picture, face, Rendering(picture, torch.ones_like(depth), own[part]))
        batch = dict(depth=truth[part], view=TRUE[part], name=names[part])
        evaluator.process(data_samples=[scene], data_batch=batch)
    return evaluator.evaluate(count)


def test_a_true_face_has_no_error_from_any_side(truth):
    report = measured(truth, depth_in(0, edge=1))
    assert report["side"] < 0.02 and report["predicted_side"] < 0.02  # of a sheet of 41 px: 0.01
    assert report["mad"] < 1 and report["predicted_mad"] < 1
    assert report["own_side"] == 0 and report["own_mad"] == pytest.approx(0, abs=0.02)
    assert report["coverage"] > 0.95 and report["own_coverage"] == 1
    assert report["flat_side"] > 0.4 and report["flat_mad"] > 10


def test_neither_distance_nor_the_frame_of_the_face_counts(truth):
    k = 1.03  # seen from where the camera is, larger and farther: the same photo
    far = TRUE.clone()
    far[:, 5] = k - 1
    report = measured(truth, depth_in(0, edge=1, scale=k), far)
    assert report["side"] < 0.02 and report["predicted_side"] < 0.02
    other = torch.stack([view_of(yaw - 5) for yaw in YAWS])  # canonical is 5 degrees off the front
    report = measured(truth, depth_in(5, edge=1), other)
    assert report["side"] < 0.02 and report["predicted_side"] < 0.02


def test_a_wrong_view_counts_where_it_was_predicted(truth):
    canonical, wrong = depth_in(0, edge=1), torch.stack([view_of(0.7 * yaw) for yaw in YAWS])
    report = measured(truth, canonical, wrong)
    off = errors_shifted(depth_in(31.5, edge=1)[None], depth_in(45)[None], 2)[0]
    left = errors_shifted(depth_in(-31.5, edge=1)[None], depth_in(-45)[None], 2)[0]
    expected = (off + left) / 3  # of the six pairs two have B in front, where the view is right
    assert report["predicted_side"] == pytest.approx(expected[0].item(), rel=0.05)
    assert report["predicted_mad"] == pytest.approx(expected[1].item(), rel=0.05)
    assert report["side"] > 0.2  # placed wrongly in A, hence wrong in B
    aside = TRUE.clone()
    aside[:, 3] = 2 / focal(SIZE)  # 2 px to the right: not observable, and aligned before measuring
    report = measured(truth, canonical, aside)
    assert report["predicted_side"] < 0.1 < report["side"]
    aside[:, 3] = 8 / focal(SIZE)
    assert measured(truth, canonical, aside)["predicted_side"] > 0.2


def test_a_flat_face_beside_loops(truth):
    size, half = SIZE, (SIZE - 1) / 2
    line = [(i - half) / focal(size) for i in range(size)]

    def wall(a, b, k):
        """A wall as wide as the picture, scaled by k where it stood in view a, then in view b."""
        middle = (k - 1) * (turn(a).T @ [0, 0, 1]) + [0, 0, 1]
        depth = torch.full((1, 1, size, size), BACKGROUND)
        for row, y in enumerate(line):
            for column, x in enumerate(line):
                away, normal = turn(b) @ (middle - [0, 0, 1]) + [0, 0, 1], turn(b)[:, 2]
                s = normal @ away / (normal @ [x, y, 1])
                on_wall = turn(b).T @ (s * np.array([x, y, 1]) - away)
                if abs(on_wall[:2]).max() <= k * math.tan(math.radians(5)) + 1e-6:
                    depth[0, 0, row, column] = s
        return depth

    def loops(depth, true, angle):
        """SIDE x 100, MAD, coverage, mean log ratio."""
        mask, logs, angles = common_mask(depth, true)[0, 0], [], []
        facing, normal = normals(true)[0], -turn(angle)[:, 2]
        for row in range(size):
            for column in range(size):
                if mask[row, column]:
                    logs.append(math.log(true[0, 0, row, column] / depth[0, 0, row, column]))
                    cosine = float(normal @ facing[:, row, column].numpy())
                    angles.append(math.degrees(math.acos(min(1, cosine))))
        mean = sum(logs) / len(logs)
        side = 100 * math.sqrt(sum((v - mean) ** 2 for v in logs) / len(logs))
        return side, sum(angles) / len(angles), len(logs) / common_mask(true, true).sum(), mean

    metric = CrossViewErrors()
    measured(truth, depth_in(0, edge=1), metric=metric)
    for i, a in enumerate(YAWS):
        k = math.exp(loops(wall(a, a, 1), truth[i : i + 1], a)[3])
        pairs = [(j, b) for j, b in enumerate(YAWS) if j != i]
        slow = np.mean([loops(wall(a, b, k), truth[j : j + 1], b)[:3] for j, b in pairs], 0)
        each = [metric.each[f"flat_{name}"][i] for name in ("side", "mad", "coverage")]
        assert each[0] == pytest.approx(slow[0], rel=2e-3)
        assert each[1] == pytest.approx(slow[1], rel=2e-3)
        assert each[2] == pytest.approx(slow[2], rel=2e-3)


def test_photos_find_each_other_by_name_whatever_their_order(truth):
    canonical = torch.stack([depth_in(0, edge=1) * f for f in (0.98, 1, 1.01)])
    canonical = canonical + 0.004 * torch.rand(3, 1, 1, SIZE, generator=torch.manual_seed(0))
    metric = CrossViewErrors()
    report = measured(truth, canonical, metric=metric)
    assert len(metric.each["side"]) == 3 and len(set(metric.each["side"])) == 3
    assert report["side"] == pytest.approx(sum(metric.each["side"]) / 3)
    assert report["frontal_side"] == pytest.approx(metric.each["side"][1])
    assert report["turned_side"] == pytest.approx(
        (metric.each["side"][0] + metric.each["side"][2]) / 2
    )
    files = [f"people/some one_image_{yaw:+03d}.png" for yaw in YAWS]
    assert measured(truth, canonical, names=files) == pytest.approx(report)


@pytest.mark.parametrize(
    "names", [["a-45", "b+00", "b+45"], ["test-000001", "test-000002", "test-000003"]]
)
def test_a_photo_without_another_view_is_one_line(truth, names):
    with pytest.raises(DataError, match="more than one view of"):
        measured(truth, depth_in(0, edge=1), names=names)


def test_frontal_is_the_least_turned_photo_of_each_face(truth, monkeypatch):
    turned = torch.stack([view_of(yaw) for yaw in (30, 5, 60)])
    monkeypatch.setattr(sys.modules[__name__], "TRUE", turned)
    metric = CrossViewErrors()
    own = truth * torch.linspace(1, 1.01, SIZE)  # errs, in each photo by another figure
    report = measured(truth, depth_in(0, edge=1), turned, own=own, metric=metric)
    first, frontal, last = metric.each["own_side"]
    assert report["frontal_own_side"] == pytest.approx(frontal)
    assert report["turned_own_side"] == pytest.approx((first + last) / 2)
    assert frontal != pytest.approx(first)


def test_the_least_of_all_shifts():
    depth = torch.full((1, 1, 3, 3), 1.0) + torch.arange(9.0).view(1, 1, 3, 3) / 100
    moved = shifted(depth, 1, -2)
    expected = torch.full((3, 3), BACKGROUND)
    expected[0, 1], expected[0, 2] = depth[0, 0, 2, 0], depth[0, 0, 2, 1]
    assert torch.equal(moved[0, 0], expected) and torch.equal(shifted(depth, 0, 0), depth)
    truth, depth = depth_in(0)[None], depth_in(20)[None]
    tried = {
        (x, y): errors(shifted(depth, x, y), truth)[0]
        for x in (-2, -1, 0, 1, 2)
        for y in (-2, -1, 0, 1, 2)
    }
    best = min(tried.values(), key=lambda figures: figures[0])
    assert torch.equal(errors_shifted(depth, truth, 2)[0], best)
    assert best[0] < tried[0, 0][0]


def test_an_overlap_of_few_pixels_is_no_match():
    """It has no error, but compares next to nothing."""
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    truth = torch.full((1, 1, 40, 40), BACKGROUND)
    truth[..., 4:24, 4:24] = (1 + x / 400)[4:24, 4:24]
    depth = torch.full_like(truth, BACKGROUND)
    depth[..., 16:36, 16:36] = (1 - y / 300)[16:36, 16:36]
    at_most = errors(depth, truth)[0]
    assert 0 < at_most[2] < 0.3
    best = errors_shifted(depth, truth, 5)[0]
    assert best[2] >= at_most[2] and best[0] > 0.1
    few = min(
        (errors(shifted(depth, x, y), truth)[0] for x in (3, 4, 5) for y in (3, 4, 5)),
        key=lambda figures: figures[0] if figures[2] > 0 else torch.inf,
    )
    assert few[2] < best[2] / 2 and few[0] < best[0] / 2  # which would have been taken
