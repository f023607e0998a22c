"""Contact sheets have the right tiles of panels in the right places."""

from pathlib import Path

import numpy as np
from PIL import Image

from l2rkit.geometry import view_of
from l2rkit.render import GridRenderer
from l2rkit.testing import example_face
from l2rkit.viz.contact import GAP, contact_sheet
from l2rkit.viz.mesh import to_bytes
from l2rkit.viz.panel import TILE, on_white, panel


def test_the_tiles_are_photo_front_and_both_sides(tmp_path: Path) -> None:
    face, render = example_face(TILE), GridRenderer()
    one = face.__class__(*(face.depth[:1], face.albedo[:1]), _first(face.light), face.view[:1])
    panel(one.albedo, one, render(one), render).save(tmp_path / "a.png")
    sheet = np.asarray(contact_sheet([tmp_path / "a.png"]))
    assert sheet.shape == (TILE, 4 * TILE, 3)
    tiles = np.split(sheet, 4, 1)
    np.testing.assert_array_equal(tiles[0], to_bytes(one.albedo[0]))
    for tile, yaw in zip(tiles[1:], (0, -45, 45)):
        seen = render(one.with_view(view_of(yaw)))
        np.testing.assert_array_equal(tile, to_bytes(on_white(seen.image, seen.mask)[0]))


def _first(light):
    return light.__class__(light.ambient[:1], light.diffuse[:1], light.direction[:1])


def test_many_faces_make_a_square_row_by_row(tmp_path: Path) -> None:
    paths = []
    for grey in range(17):
        path = tmp_path / f"{grey}.png"
        Image.new("RGB", (8 * TILE, TILE + 16), (grey, grey, grey)).save(path)
        paths.append(path)
    sheet = np.asarray(contact_sheet(paths))
    wide, high = 4 * TILE + GAP, TILE + GAP
    assert sheet.shape == (9 * high - GAP, 2 * wide - GAP, 3)
    got = sheet[::high, ::wide, 0]
    assert got.ravel().tolist() == [*range(17), 255]
