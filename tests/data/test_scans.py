"""Scans as photos: placement, true depth, and reading."""

import numpy as np
import pytest
import torch
import trimesh
from click.testing import CliRunner
from PIL import Image

from l2rkit.data import DepthPairs, FaceAligner, TexturedScans
from l2rkit.data.align import TEMPLATE
from l2rkit.data.heads.dataset import make_images
from l2rkit.data.heads.render import BACKGROUND_DEPTH, TAN_HALF_VIEW
from l2rkit.data.scans import (
    Scan,
    mean_landmarks,
    place_scan,
    read_scan,
    render_scan,
    yaw_views,
)  # fmt: skip
from l2rkit.errors import DataError
from l2rkit.geometry import project, view_of
from l2rkit.structures import PIVOT
from tools.dataset_converters.scans import main

NEAR_SIDE = 0.02  # scene units towards the camera


def wall(colour=None, uv=None, texture=None, side=0.04):
    """A square of four vertices that faces the camera, 0.02 before the turning point."""
    corners = [(-side, -side), (side, -side), (-side, side), (side, side)]
    points = np.float32([(x, y, 1 - NEAR_SIDE) for x, y in corners])
    return Scan(points, np.int32([[0, 1, 2], [2, 1, 3]]), uv, texture, colour)


def test_a_turned_wall_has_the_depth_of_geometry():
    scan = wall(colour=np.full((4, 3), 0.5, np.float32))
    for yaw in (-30, 0, 45):
        view, size = yaw_views([yaw])[0], 65
        np.testing.assert_allclose(view, view_of(yaw_deg=yaw), atol=1e-7)
        _, depth = render_scan(scan, view, size)
        # the ray (x, 0, 1) z meets the plane n (p - c) = 0.02 with n turned by the yaw
        n = np.array([-np.sin(np.radians(yaw)), -np.cos(np.radians(yaw))])
        x = (np.arange(size) - 32) / 32 * TAN_HALF_VIEW
        expected = (NEAR_SIDE + n[1]) / (n[0] * x + n[1])
        seen = depth[32] < BACKGROUND_DEPTH
        assert 15 < seen.sum() < 40
        np.testing.assert_allclose(depth[32][seen], expected[seen], rtol=1e-5)


def test_pixels_of_a_texture_land_where_they_should(tmp_path):
    """Red top left, green top right, blue bottom left, white bottom right: from an OBJ file."""
    texture = np.uint8([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]])
    Image.fromarray(texture.repeat(8, 0).repeat(8, 1)).save(tmp_path / "t.png")
    (tmp_path / "m.mtl").write_text("newmtl m\nmap_Kd t.png\n")
    corners = [(-1, 1), (1, 1), (-1, -1), (1, -1)]  # y up, seen from +z
    lines = ["mtllib m.mtl", "usemtl m", *(f"v {x} {y} 0" for x, y in corners)]
    lines += [f"vt {(x + 1) / 2} {(y + 1) / 2}" for x, y in corners]
    lines += ["f 1/1 3/3 2/2", "f 2/2 3/3 4/4"]
    (tmp_path / "m.obj").write_text("\n".join(lines))
    scan = read_scan(tmp_path / "m.obj")
    scan = Scan(scan.vertices * 0.05 + np.float32(PIVOT), *list(vars(scan).values())[1:])
    image, depth = render_scan(scan, np.zeros(6), 64)
    assert (depth[32, 32], depth[0, 0]) == (pytest.approx(1), BACKGROUND_DEPTH)
    corners = [image[r, c].tolist() for r in (20, 44) for c in (20, 44)]
    assert corners == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]
    assert image[0, 0].tolist() == [128, 128, 128]


def test_mean_landmarks_project_to_the_template():
    points = torch.tensor(mean_landmarks()).T[None, :, :, None]
    u, v, _ = project(points, 480)[0]
    np.testing.assert_allclose(torch.cat([u, v], 1), TEMPLATE * 480 - 0.5, atol=1e-6)


@pytest.fixture(scope="module")
def ply(tmp_path_factory):
    """A synthetic head, coloured by its own frontal photo, in millimetres, turned and y up."""
    sample = next(iter(make_images([17], seed=3, split="test", size=192)))
    rows, columns = np.nonzero(sample["depth"] < BACKGROUND_DEPTH)
    z = sample["depth"][rows, columns]
    line = np.column_stack([columns, rows]) - 95.5
    points = np.column_stack([line / 95.5 * TAN_HALF_VIEW * z[:, None], z]) - PIVOT
    number = np.full((192, 192), -1)
    number[rows, columns] = np.arange(len(rows))
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    cells = np.stack([a, c, b, b, c, d], -1).reshape(-1, 3)
    cells = cells[(cells >= 0).all(1)]
    span = np.ptp(points[cells][:, :, 2], axis=1)
    mesh = trimesh.Trimesh(
        points * [700, -700, -700] + [3, 40, -9],
        cells[span < 0.03],
        vertex_colors=np.uint8(sample["img"][rows, columns] * 255),
        process=False,
    )
    path = tmp_path_factory.mktemp("scans") / "people" / "image head.ply"
    path.parent.mkdir()
    mesh.export(path)
    return path


def test_a_placed_head_fits_the_aligner_template(ply):
    placed = place_scan(read_scan(ply))
    image, depth = render_scan(placed, np.zeros(6), 128)
    found = FaceAligner().faces(image, largest=True)[0].landmarks
    assert np.abs((found + 0.5) / 128 - TEMPLATE).max() < 0.05
    assert 0.9 < depth.min() < 0.93 and depth[64, 64] < 0.96


def run(*args):
    done = CliRunner().invoke(main, list(map(str, args)))
    return done.exit_code, done.stdout.splitlines()[-1:], done.stderr


def test_converter_draws_resumes_and_is_read_back(ply, tmp_path):
    bad = ply.parent / "bad.obj"
    bad.write_text("v 0 0 0\n")
    call = (ply.parents[1], tmp_path, "--size", 64, "--yaw", 0, "--yaw", -20)
    code, said, errors = run(*call)
    assert code == 1 and said == ["1 drawn, 0 kept, 1 failed"]
    assert len(errors.splitlines()) == 1 and "bad.obj" in errors
    bad.unlink()
    assert run(*call)[:2] == (0, ["0 drawn, 1 kept, 0 failed"])
    pipeline = [dict(type="LoadPhoto"), dict(type="PackPhoto")]
    exact = TexturedScans(str(tmp_path), "test", pipeline=pipeline)
    rough = DepthPairs(str(tmp_path), "test", pipeline=pipeline)
    assert [s["name"] for s in exact] == [
        "people/image head_image_+00.png", "people/image head_image_-20.png",
    ]  # fmt: skip
    np.testing.assert_allclose(exact[1]["view"], view_of(yaw_deg=-20), atol=1e-7)
    inside = exact[0]["depth"] < 1.1
    assert inside.float().mean() > 0.5
    assert (exact[0]["depth"] - rough[0]["depth"])[inside].abs().max() < 0.2 / 255
    assert exact[0]["depth"].max() == pytest.approx(BACKGROUND_DEPTH)
    assert exact[0]["photo"].shape == (3, 64, 64)
    sums = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert len(sums) == 6 and all(len(line.split("  ")[0]) == 64 for line in sums)


def test_scans_that_cannot_be_read(tmp_path):
    trimesh.creation.box().export(tmp_path / "grey.stl")
    with pytest.raises(DataError, match="neither a texture nor colours"):
        read_scan(tmp_path / "grey.stl")
    (tmp_path / "a.ply").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"a.ply' cannot be read") as caught:
        read_scan(tmp_path / "a.ply")
    assert "\n" not in str(caught.value)
