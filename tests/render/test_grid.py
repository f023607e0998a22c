"""The rasterizers against a slow loop over triangles and pixels in float64."""

import math
from importlib.util import find_spec

import pytest
import torch
from fresh import python
from hypothesis import given, settings
from hypothesis import strategies as st
from renderers import interpreted

from l2rkit.geometry import move, project, unproject
from l2rkit.render import (
    rasterize_grid,
    rasterize_pytorch3d,
    rasterize_torch,
    rasterize_triton,
)

SLACK = 2e-4  # of barycentric weights: the kernel's own tolerance at edges, and float32
without = pytest.mark.skipif(find_spec("pytorch3d") is None, reason="PyTorch3D is not installed")
every = pytest.mark.parametrize(
    "rasterize",
    [
        rasterize_grid,
        rasterize_torch,
        pytest.param(rasterize_pytorch3d, marks=without),
        pytest.param(rasterize_triton, marks=interpreted),
    ],
    ids=lambda rasterize: rasterize.__name__,
)


def triangles(height, width):
    """Index → its three corners as (row, col)."""
    for row in range(height - 1):
        for col in range(width - 1):
            first = 2 * (row * (width - 1) + col)
            yield first, [(row, col), (row + 1, col), (row, col + 1)]
            yield first + 1, [(row, col + 1), (row + 1, col), (row + 1, col + 1)]


def weights(corners, x, y):
    """Barycentric weights of (x, y) by Cramer's rule; None for a triangle without area."""
    (px, py, _), (qx, qy, _), (rx, ry, _) = corners
    area = (qx - px) * (ry - py) - (qy - py) * (rx - px)
    if abs(area) < 1e-12:
        return None
    q = ((x - px) * (ry - py) - (y - py) * (rx - px)) / area
    r = ((qx - px) * (y - py) - (qy - py) * (x - px)) / area
    return 1 - q - r, q, r


def depths(points, size):
    """For each pixel, triangle → (its depth there, how far inside the pixel is)."""
    height, width, _ = points.shape
    values, hits = points.double().tolist(), {}
    for index, at in triangles(height, width):
        corners = [values[row][col] for row, col in at]
        if not all(corner[2] > 0 for corner in corners):
            continue
        for y in range(size):
            for x in range(size):
                w = weights(corners, x, y)
                if w is not None and min(w) >= -SLACK:
                    z = 1 / sum(share / corner[2] for share, corner in zip(w, corners))
                    hits.setdefault((y, x), {})[index] = z, min(w)
    return hits


def assert_nearest(rasterize, points, size):
    """Each pixel's triangle covers it and is the nearest, but for a pixel on an edge."""
    face = rasterize(points[None], size)[0]
    hits = depths(points, size)
    for y in range(size):
        for x in range(size):
            here, got = hits.get((y, x), {}), face[y, x].item()
            surely = [z for z, inside in here.values() if inside > SLACK]
            if got == -1:
                assert not surely, f"pixel ({y}, {x}) was left empty"
            else:
                assert got in here, f"triangle {got} does not cover pixel ({y}, {x})"
                assert here[got][0] <= min(surely, default=math.inf) * (1 + 1e-5)
    return face


@every
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    turn=st.tuples(*[st.floats(-1.5, 1.5)] * 3),
    shift=st.floats(-0.05, 0.05),
)
def test_nearest_triangle_on_random_depths_and_views(rasterize, seed, turn, shift):
    noise = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(seed))
    view = torch.tensor([[*turn, shift, -shift, shift]])
    points = project(move(unproject(0.95 + 0.1 * noise), view), 9)[0].permute(1, 2, 0)
    assert_nearest(rasterize, points, 9)


@every
@pytest.mark.parametrize("height, width, size", [(2, 5, 7), (7, 3, 4), (2, 2, 12)])
def test_grids_that_are_not_square_and_pictures_of_another_size(rasterize, height, width, size):
    torch.manual_seed(1)
    points = torch.rand(height, width, 3) * torch.tensor([size + 2, size + 2, 1.0])
    assert assert_nearest(rasterize, points - torch.tensor([1, 1, -0.5]), size).shape == (
        size,
        size,
    )


def flat(height, width, z=1.0, scale=1.0):
    row, col = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([col * scale, row * scale, torch.full((height, width), z)], -1)


@every
@pytest.mark.parametrize("flip", [False, True])
def test_numbering_and_that_both_sides_are_seen(rasterize, flip):
    points = flat(3, 4, scale=3.0)  # a cell is 3 by 3 pixels
    expected = {index: corners for index, corners in triangles(3, 4)}
    face = rasterize((points.flip(1) if flip else points)[None], 10)[0]
    for index, corners in expected.items():
        y, x = (round(sum(3 * corner[axis] for corner in corners) / 3) for axis in (0, 1))
        assert face[y, 9 - x if flip else x] == index
    assert (face[:7] >= 0).all() and (face[7:] == -1).all()


@every
def test_the_nearer_of_two_layers_wins_whatever_the_order(rasterize):
    """A strip folded over itself: rows 0 and 1 at one depth, rows 2 and 3 back over them."""
    for first, second, nearest in ((1.0, 1.2, 0), (1.2, 1.0, 4)):
        rows = [(0, first), (5, first), (5, second), (0, second)]
        points = torch.tensor([[[0, y, z], [5, y, z]] for y, z in rows])
        face = rasterize(points[None], 6)[0]
        assert set(face[1:4, 1:4].flatten().tolist()) <= {nearest, nearest + 1}


@every
def test_depth_between_corners_is_perspective_correct(rasterize):
    """Of two slanted strips over each other, linear z and 1/z name different winners at x = 5."""
    near_far = torch.tensor([[[0, 0, 0.5], [10, 0, 5]], [[0, 10, 0.5], [10, 10, 5]]])  # 0.91 at 5
    level = torch.tensor([[[0, 10, 1.5], [10, 10, 1.5]], [[0, 0, 1.5], [10, 0, 1.5]]])
    face = rasterize(torch.cat([near_far, level])[None].float(), 11)[0]
    assert face[4, 5] in (0, 1)  # linear z would be 2.75 and lose


@every
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_triangles_that_are_not_finite_are_not_drawn(rasterize, axis, value):
    points = flat(4, 4)
    points[1, 1, axis] = value
    face = rasterize(points[None], 4)[0]
    touched = {index for index, corners in triangles(4, 4) if (1, 1) in corners}
    assert not touched & set(face.flatten().tolist())
    assert (face[2:, 2:] >= 0).all()


@every
def test_triangles_behind_the_camera_or_outside_are_not_drawn(rasterize):
    assert (rasterize(flat(4, 4, z=-1.0)[None], 4) == -1).all()
    assert (rasterize(flat(4, 4, z=0.0)[None], 4) == -1).all()
    for shift in (9.0, -9.0):
        assert (rasterize(flat(4, 4)[None] + torch.tensor([shift, 0, 0]), 4) == -1).all()
        assert (rasterize(flat(4, 4)[None] + torch.tensor([0, shift, 0]), 4) == -1).all()


@every
def test_each_item_of_a_batch_is_drawn_alone(rasterize):
    torch.manual_seed(2)
    points = torch.rand(5, 4, 4, 3) * 6 + 0.5
    together = rasterize(points, 7)
    assert together.dtype == torch.int32
    assert torch.equal(together, torch.cat([rasterize(p[None], 7) for p in points]))


@every
def test_triangles_to_skip_leave_what_is_behind_them(rasterize):
    folded = [(0, 1.0), (5, 1.0), (5, 1.2), (0, 1.2)]  # the second layer lies behind the first
    points = torch.tensor([[[0, y, z], [5, y, z]] for y, z in folded])[None]
    skip = torch.zeros(1, 6, dtype=torch.bool)
    skip[0, 0] = True
    whole, holed = rasterize(points, 6), rasterize(points, 6, skip)
    assert set(whole[holed != whole].tolist()) == {0}
    assert set(holed[holed != whole].tolist()) <= {1, 4, 5}  # 1 shares an edge with it
    assert (whole[0, 1, 1], holed[0, 1, 1]) == (0, 4)
    assert (rasterize(points, 6, torch.ones_like(skip)) == -1).all()
    with pytest.raises(ValueError, match=r"expects skip \(1, 6\) of torch.bool, not \(1, 5\)"):
        rasterize(points, 6, skip[:, :5])


@every
def test_empty_batch_and_grids_without_cells(rasterize):
    assert rasterize(torch.zeros(0, 4, 4, 3), 5).shape == (0, 5, 5)
    assert (rasterize(torch.ones(1, 1, 4, 3), 5) == -1).all()


@every
@pytest.mark.parametrize("shape, size", [((4, 4, 3), 4), ((1, 4, 4, 2), 4), ((1, 4, 4, 3), 0)])
def test_wrong_shapes_are_refused(rasterize, shape, size):
    with pytest.raises(ValueError, match=f"{rasterize.__name__} expects"):
        rasterize(torch.ones(shape), size)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_of_torch_are_used_and_change_nothing(threads):
    """Numba's own threads, which do not outlast a fork, are not begun."""
    code = (
        f"import torch; torch.set_num_threads({threads}); import numba, threading\n"
        "from l2rkit.render import rasterize_grid\n"
        "torch.manual_seed(0); points = torch.rand(5, 4, 4, 3) * 5\n"
        "one = torch.cat([rasterize_grid(each[None], 5) for each in points])\n"
        "assert torch.equal(rasterize_grid(points, 5), one) and one.max() > 0\n"
        "print(torch.get_num_threads(), threading.active_count() > 1)\n"
        "try: numba.threading_layer()\n"
        "except ValueError: print('none')"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(threads), str(threads > 1), "none"]
