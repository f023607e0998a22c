"""The region of the face: cells set by hand, and depths with known edges."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from l2rkit.geometry import grid_triangles
from l2rkit.landmarks.points import MEAN_FACE, OVAL
from l2rkit.render.warp import stretched
from l2rkit.viz.closing import rim
from l2rkit.viz.cut import cut
from l2rkit.viz.region import (
    HIGHER,
    STEEPEST_DEG,
    disc,
    face_level,
    flat_cells,
    middle_patch,
    oval_cells,
    rounded_level,
    without_holes,
    without_pinches,
)


def test_a_face_that_is_flat_in_a_spot_alone_is_the_whole_oval():
    size = 64
    line = torch.linspace(-1, 1, size)
    far = (line[:, None] ** 2 + line**2).sqrt()
    steep = 0.9 + 0.2 * (far - 0.13).clamp(0, 1)
    level = face_level(steep[None, None])
    assert (level > 0).sum() > 0.3 * size**2


def drawn(*rows: str) -> np.ndarray:
    return np.array([[cell == "#" for cell in row] for row in rows])


def test_holes_are_filled_and_bays_are_not():
    got = without_holes(drawn("####.", "#..#.", "#.##.", "####.", ".....", "#.#.#", "###.#"))
    assert (got == drawn("####.", "####.", "####.", "####.", ".....", "#.#.#", "###.#")).all()


def test_a_gap_that_leads_out_over_a_corner_is_no_hole():
    bay = drawn("###", "#.#", "##.")
    assert (without_holes(bay) == bay).all()


def test_cells_that_touch_at_a_corner_get_a_common_side():
    assert without_pinches(drawn("#.", ".#")).all()
    assert without_pinches(drawn(".#", "#.")).all()
    ring = drawn("####", "#..#", "#..#", "###.")  # a bay, until its mouth is closed
    assert without_pinches(ring).all()
    stairs = drawn("#..", "##.", "###")
    assert (without_pinches(stairs) == stairs).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=6, max_size=6))
def test_the_rim_of_any_patch_is_a_single_line(rows):
    cells = np.array(rows)
    patch = without_pinches(middle_patch(cells.astype(np.uint8)).astype(bool))
    wide = np.pad(patch, 1).astype(int)
    quads = wide[:-1, :-1] + 2 * wide[:-1, 1:] + 4 * wide[1:, :-1] + 8 * wide[1:, 1:]
    assert not np.isin(quads, (6, 9)).any()  # a vertex with two rims through it
    # vertices - edges + cells of a disc are 1
    grown = np.pad(patch, 1)
    vertices = (quads > 0).sum()
    across = (grown[:-1, :] | grown[1:, :]).sum() + (grown[:, :-1] | grown[:, 1:]).sum()
    assert not patch.any() or vertices - across + patch.sum() == 1


def test_of_two_patches_the_one_in_the_middle_is_taken():
    got = middle_patch(drawn("#####", "#...#", "#.#.#", "#...#", "#####").astype(np.uint8))
    assert (got == drawn(".....", ".....", "..#..", ".....", ".....")).all()
    corner = drawn("#...", "..#.", "..##")
    assert (middle_patch(corner.astype(np.uint8)) == drawn("....", "..#.", "..##")).all()
    assert not middle_patch(np.zeros((3, 3), np.uint8)).any()


def plateau(size: int, wide: float, step: float = 0.1) -> torch.Tensor:
    """A round plateau of `wide` of the width at depth 1 - step, before a flat background at 1."""
    line = torch.linspace(-1, 1, size)
    inside = (line**2 + line[:, None] ** 2).sqrt() < wide
    return torch.where(inside, 1 - step, 1.0)[None, None].double()


@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_plateau_before_a_cliff_is_found_at_any_size(size):
    cells = flat_cells(plateau(size, 0.75))
    share = cells.mean() / (np.pi * 0.75**2 / 4)
    assert 0.6 < share < 1  # what the blur reaches is lost
    column = torch.linspace(-1, 1, size)[:-1] + 1 / (size - 1)
    outside = (column**2 + column[:, None] ** 2).sqrt().numpy() > 0.75
    assert not (cells & outside).any()  # and nothing of the background comes in
    side = size - 1
    border = round(side / 32)
    assert not cells[:1].any() and not cells[:, -border:].any()


def test_what_hangs_on_a_thin_bridge_is_cut_off():
    depth = plateau(64, 0.55)
    depth[..., 30:34, :] = 0.9  # a bar over the whole width
    cells = flat_cells(depth)
    assert cells[31, 31] and not cells[31, :8].any() and not cells[31, -8:].any()


def test_a_nostril_is_no_hole():
    depth = plateau(64, 0.8)
    depth[..., 30:33, 30:33] += 0.05
    assert flat_cells(depth)[20:44, 20:44].all()


def test_a_gentle_slope_is_kept_and_a_wall_is_not():
    across = torch.linspace(-1, 1, 64).double()[None, None, None].expand(1, 1, 64, 64)
    half = np.tan(np.radians(5))
    # seen along z, a plane z = a x leans by atan(a); rays differ from z by 5 deg at most
    gentle, wall = (1 + across * half * np.tan(np.radians(STEEPEST_DEG + x)) for x in (-8, 8))
    assert flat_cells(gentle)[4:-4, 4:-4].all() and not flat_cells(wall).any()
    assert (face_level(wall) == disc(rounded_level(oval_cells(64)))).all()  # all of the oval


def test_ripples_are_no_cliffs():
    generator = torch.Generator().manual_seed(0)
    rough = plateau(64, 0.8) + 0.002 * torch.randn(64, 64, generator=generator)
    assert stretched(rough, STEEPEST_DEG).float().mean() > 0.05  # many of its triangles are steep
    assert (flat_cells(rough) ^ flat_cells(plateau(64, 0.8))).mean() < 0.03


@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_flat_face_is_the_oval_of_the_mean_face(size):
    level = face_level(torch.ones(1, 1, size, size))
    line = np.linspace(-1, 1, size)
    landmarks = MEAN_FACE[:, :2] / MEAN_FACE[:, 2:] / np.tan(np.radians(5))
    column, row = ((landmarks * 0.85 + 1) / 2 * (size - 1)).round().astype(int).T
    assert (level[row, column] > 0).all()  # all of a face that is a little smaller
    wide = np.abs(landmarks[OVAL]).max(0)
    outside = (line / (wide[0] + 3 / size)) ** 2 > 1
    assert (level[:, outside] < 0).all() and (level[[0, 0, -1, -1], [0, -1, 0, -1]] < 0).all()
    np.testing.assert_allclose(level, level[:, ::-1], atol=0.02)  # the mean face is symmetric
    assert oval_cells(size)[: size // 4].sum() > oval_cells(size)[-(size // 4) :].sum()
    assert HIGHER > 1


def test_the_face_ends_where_its_surface_falls_off():
    level = face_level(plateau(64, 0.6))
    line = torch.linspace(-1, 1, 64).numpy()
    radius = np.hypot(line, line[:, None])
    assert (level[radius < 0.4] > 0).all() and (level[radius > 0.66] < 0).all()


def test_a_level_is_moved_past_nought_where_it_is_no_disc():
    level = np.full((8, 8), -0.4)
    level[1:6, 1:6], level[3, 3], level[6, 6], level[2, 2] = 0.4, -0.2, 0.3, 0.0
    got = disc(level)
    assert (got != 0).all() and got[3, 3] > 0 and got[2, 2] > 0 and (got[1:6, 1:6] > 0).all()
    assert got[1, 1] == 0.4 and got[0, 0] == -0.4  # elsewhere it stays as it was
    assert np.abs(got[[3, 2], [3, 2]]).max() < 0.01
    same = np.pad(np.full((4, 4), 0.4), 2, constant_values=-0.4)
    assert (disc(same) == same).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.floats(-1, 1), min_size=7, max_size=7), min_size=6, max_size=6))
def test_the_surface_of_any_level_has_one_rim_without_forks(rows):
    level = disc(np.pad(np.array(rows), 1, constant_values=-1))
    left = cut(grid_triangles(8, 9).numpy(), level.ravel())
    if not len(left.triangles):
        return
    edges = rim(left.triangles)
    assert (np.bincount(edges[:, 0]) <= 1).all() and (np.bincount(edges[:, 1]) <= 1).all()
    sides = np.sort(left.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1)
    count = len(left.inner) - len(np.unique(sides, axis=0)) + len(left.triangles)
    assert count == 1  # vertices - edges + triangles: a disc


def test_a_face_s_own_region_ends_it_and_reaches_higher_as_the_oval_does():
    size = 64
    depth, region = torch.ones(1, 1, size, size), torch.zeros(1, 1, size, size)
    region[..., 16:, 20:40] = 1
    level = face_level(depth, region) > 0
    columns = np.flatnonzero(level.any(0))
    assert abs(columns[0] - 20) <= 1 and abs(columns[-1] - 39) <= 1
    whole = face_level(depth) > 0
    assert (whole | ~level).all() and level.sum() < 0.7 * whole.sum()
    top = 31.5 - (31.5 - 16) * HIGHER  # of rows, before the corners are rounded
    assert abs(np.flatnonzero(level.any(1))[0] - top) <= 2
    nothing = torch.zeros_like(region)
    assert (face_level(depth, nothing) == face_level(depth)).all()
