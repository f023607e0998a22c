"""Where the face is: cells that are drawn by hand, and depths whose cliffs are known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from l2rkit.errors import UserError
from l2rkit.render.warp import stretched
from l2rkit.viz.region import face_cells, middle_patch, without_holes, without_pinches


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
    cells = face_cells(plateau(size, 0.75))
    share = cells.mean() / (np.pi * 0.75**2 / 4)
    assert 0.6 < share < 1  # what the blur reaches is lost
    column = torch.linspace(-1, 1, size)[:-1] + 1 / (size - 1)
    outside = (column**2 + column[:, None] ** 2).sqrt().numpy() > 0.75
    assert not (cells & outside).any()  # and nothing of the background comes in
    side = size - 1
    border = round(side / 32)
    assert not cells[:border].any() and not cells[:, -border:].any()


def test_what_hangs_on_a_thin_bridge_is_cut_off():
    depth = plateau(64, 0.55)
    depth[..., 30:34, :] = 0.9  # a bar over the whole width
    cells = face_cells(depth)
    assert cells[31, 31] and not cells[31, :8].any() and not cells[31, -8:].any()


def test_a_nostril_is_no_hole():
    depth = plateau(64, 0.8)
    depth[..., 30:33, 30:33] += 0.05
    assert face_cells(depth)[20:44, 20:44].all()


def test_a_gentle_slope_is_kept_and_a_wall_is_not():
    across = torch.linspace(-1, 1, 64).double()[None, None, None].expand(1, 1, 64, 64)
    half = np.tan(np.radians(5))
    # seen along z, a plane z = a x leans by atan(a); rays differ from z by 5 deg at most
    assert face_cells(1 + across * half * np.tan(np.radians(48)))[4:-4, 4:-4].all()
    with pytest.raises(UserError, match="middle is steeper than 55 deg"):
        face_cells(1 + across * half * np.tan(np.radians(65)))


def test_ripples_are_no_cliffs():
    generator = torch.Generator().manual_seed(0)
    rough = plateau(64, 0.8) + 0.002 * torch.randn(64, 64, generator=generator)
    assert stretched(rough, 55.0).float().mean() > 0.1  # many of its triangles are steep
    assert (face_cells(rough) ^ face_cells(plateau(64, 0.8))).mean() < 0.03
