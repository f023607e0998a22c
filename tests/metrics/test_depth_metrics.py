"""SIDE and MAD against loops over pixels, as in Unsup3D's released code."""

import math

import pytest
import torch
from mmengine.evaluator import Evaluator

from l2rkit.geometry import focal
from l2rkit.metrics import DepthErrors, mad, side
from l2rkit.metrics.depth import mean_depth
from l2rkit.metrics.masks import inner, truth_mask
from l2rkit.structures import BACKGROUND, Rendering, Scene
from l2rkit.testing import example_face

SIZE = 10


def pair(seed=0, batch=2):
    """A predicted and a true depth, both with ragged backgrounds."""
    g = torch.Generator().manual_seed(seed)
    truth, depth = (0.95 + 0.02 * torch.rand(batch, 1, SIZE, SIZE, generator=g) for _ in range(2))
    truth[:, :, :2], depth[..., -1:] = 1.1, BACKGROUND
    truth[:, :, 6, 6] = 1.1
    return depth, truth


def point(depth, y, x):
    """The point at a pixel."""
    d, f = depth[y][x], focal(SIZE)
    return [(x - (SIZE - 1) / 2) / f * d, (y - (SIZE - 1) / 2) / f * d, d]


def normal(depth, y, x):
    """tu x tv, unit; (0, 0, 1) at the border. As published: away from the camera."""
    if min(y, x) == 0 or max(y, x) == SIZE - 1:
        return [0.0, 0.0, 1.0]
    tu = [a - b for a, b in zip(point(depth, y, x + 1), point(depth, y, x - 1))]
    tv = [a - b for a, b in zip(point(depth, y + 1, x), point(depth, y - 1, x))]
    n = [tu[(i + 1) % 3] * tv[(i + 2) % 3] - tu[(i + 2) % 3] * tv[(i + 1) % 3] for i in range(3)]
    length = math.sqrt(sum(v * v for v in n))
    return [v / length for v in n]


def slowly(depth, truth):
    """SIDE x 100 and MAD of one image: lists of rows."""
    farthest = max(map(max, truth))

    def inside(y, x):
        around = [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        return all(
            0 <= v < SIZE and 0 <= u < SIZE and truth[v][u] < farthest and depth[v][u] < 1.2
            for v, u in around
        )

    pixels = [(y, x) for y in range(SIZE) for x in range(SIZE) if inside(y, x)]
    logs = [math.log(depth[y][x]) - math.log(truth[y][x]) for y, x in pixels]
    mean = sum(logs) / len(logs)
    variance = sum((d - mean) ** 2 for d in logs) / len(logs)
    angles = []
    for y, x in pixels:
        cosine = sum(a * b for a, b in zip(normal(depth, y, x), normal(truth, y, x)))
        angles.append(math.degrees(math.acos(max(-1, min(1, cosine)))))
    return 100 * math.sqrt(variance), sum(angles) / len(angles)


def scene(depth):
    batch = len(depth)
    picture = torch.ones(batch, 3, SIZE, SIZE)
    seen = Rendering(picture, (depth < BACKGROUND).float(), depth)
    return Scene(picture, example_face(SIZE, batch), seen)


def evaluate(batches, metric=None):
    evaluator = Evaluator(metric or DepthErrors())
    for depth, truth in batches:
        evaluator.process(data_samples=[scene(depth)], data_batch=dict(depth=truth))
    return evaluator.evaluate(sum(len(truth) for _, truth in batches))


def test_through_mmengine_s_evaluator_beside_the_loops():
    batches, metric = [pair(0), pair(1)], DepthErrors()
    report = evaluate(batches, metric)
    slow = [
        slowly(d.tolist()[0], t.tolist()[0])
        for depths, truths in batches
        for d, t in zip(depths, truths)
    ]
    sides, mads = torch.tensor(slow, dtype=torch.float64).T
    assert report["side"] == pytest.approx(sides.mean().item(), rel=1e-3)
    assert report["mad"] == pytest.approx(mads.mean().item(), rel=1e-3)
    assert list(metric.each["side"]) == pytest.approx(sides.tolist(), rel=1e-3)  # in order
    assert list(metric.each["mad"]) == pytest.approx(mads.tolist(), rel=1e-3)
    assert report["side_std"] == pytest.approx(sides.std().item(), rel=1e-2)
    assert report["mad_std"] == pytest.approx(mads.std().item(), rel=1e-2)
    flat = [slowly([[1.0] * SIZE] * SIZE, t.tolist()[0]) for _, truths in batches for t in truths]
    sides, mads = torch.tensor(flat, dtype=torch.float64).T
    assert report["flat_side"] == pytest.approx(sides.mean().item(), rel=1e-3)
    assert report["flat_mad"] == pytest.approx(mads.mean().item(), rel=1e-3)
    assert not any("loss" in key for key in report)  # MMEngine would sum those


def test_a_true_depth_has_no_error_and_the_mean_of_equal_depths_neither():
    _, truth = pair()
    same = truth[:1].expand(2, -1, -1, -1)
    report = evaluate([(same.clone(), same)])
    for name in ("side", "mad", "mean_depth_side", "mean_depth_mad"):
        assert report[name] == pytest.approx(0, abs=0.05), name
    assert report["flat_side"] > 0.3 and report["flat_mad"] > 1


def test_side_is_blind_to_scale_and_mad_nearly_so():
    depth, truth = pair()
    mask = torch.ones(2, 1, SIZE, SIZE)
    torch.testing.assert_close(side(depth * 0.5, truth, mask), side(depth, truth, mask))
    torch.testing.assert_close(mad(depth * 0.5, truth, mask), mad(depth, truth, mask))


def test_known_values():
    truth, mask = torch.ones(1, 1, SIZE, SIZE), torch.ones(1, 1, SIZE, SIZE)
    halves = truth.clone()
    halves[..., : SIZE // 2] = math.exp(0.02)  # logs are 0.02 and 0: they deviate by 0.01
    assert side(halves, truth, mask).item() == pytest.approx(0.01, rel=1e-3)
    column = (torch.arange(SIZE) - (SIZE - 1) / 2) / focal(SIZE)
    angle = math.radians(40)
    tilted = (1 / (1 + column * math.tan(angle))).expand(1, 1, SIZE, SIZE)
    mask = inner(mask)
    assert mad(tilted, truth, mask).item() == pytest.approx(40, rel=1e-3)


def test_masks_lose_one_pixel_all_round():
    mask = torch.zeros(1, 1, 7, 7)
    mask[..., 1:6, 2:7] = 1
    expected = torch.zeros(1, 1, 7, 7)
    expected[..., 2:5, 3:6] = 1  # also at the edge of the picture
    assert torch.equal(inner(mask), expected)


def test_mean_depth_is_over_the_images_that_cover_a_pixel():
    truth = torch.tensor([[0.9, 1.0, 1.1, 1.1], [1.0, 1.1, 1.1, 1.1]]).view(2, 1, 2, 2)
    assert truth_mask(truth).flatten().tolist() == [1, 1, 0, 0, 1, 0, 0, 0]
    got = mean_depth(truth).flatten().tolist()
    assert got == pytest.approx([0.95, 1.0, 0.975, 0.975])


def test_a_face_that_was_rendered_nowhere_has_no_figure_and_spoils_no_other():
    depth, truth = pair()
    known = DepthErrors()
    report = evaluate([(depth, truth)], known)
    for nothing in (math.nan, BACKGROUND):
        broken, metric = depth.clone(), DepthErrors()
        broken[1] = nothing
        assert math.isnan(evaluate([(broken, truth)], metric)["side"]) and report["side"] > 0
        assert metric.each["side"][0] == known.each["side"][0]
        assert math.isnan(metric.each["side"][1]) and metric.each["coverage"][1] == 0
