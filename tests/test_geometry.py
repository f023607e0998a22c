"""Camera, views and normals against calculations by hand."""

import math

import pytest
import torch

from l2rkit.geometry import (
    focal,
    move,
    move_back,
    normals,
    project,
    rays,
    reflected,
    rotation,
    unproject,
    view_of,
)
from l2rkit.render import GridRenderer
from l2rkit.testing import example_face

DOUBLE = torch.float64


@pytest.mark.parametrize("size, expected", [(64, 360.04), (128, 725.8), (256, 1457.3)])
def test_focal_length_is_the_published_one(size, expected):
    assert focal(size) == pytest.approx(expected, abs=0.05)


def test_rays_span_ten_degrees_between_the_outer_pixel_centres():
    x, y, z = rays(64, torch.ones(1, dtype=DOUBLE))[0]
    assert math.degrees(math.atan(x[0, -1])) == pytest.approx(5)
    assert math.degrees(math.atan(y[-1, 0])) == pytest.approx(5)
    assert x[0, 0] < 0 and y[0, 0] < 0 and z.unique().tolist() == [1]


def test_project_undoes_unproject():
    depth = 0.9 + 0.2 * torch.rand(2, 1, 16, 16, dtype=DOUBLE)
    column, row, z = project(unproject(depth), 16).unbind(1)
    line = torch.arange(16, dtype=DOUBLE)
    torch.testing.assert_close(column, line.expand(2, 16, 16))
    torch.testing.assert_close(row, line[:, None].expand(2, 16, 16))
    torch.testing.assert_close(z, depth[:, 0])


def test_projecting_into_a_larger_picture_keeps_the_edges():
    column, _, _ = project(unproject(torch.ones(1, 1, 8, 8, dtype=DOUBLE)), 64)[0]
    assert column[0, [0, -1]].tolist() == pytest.approx([0, 63])


def test_rotation_is_first_about_x_then_y_then_z():
    a, b, c = 0.3, -0.5, 0.7
    about_x = [[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]]
    about_y = [[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]]
    about_z = [[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]]
    x, y, z = (torch.tensor(m, dtype=DOUBLE) for m in (about_x, about_y, about_z))
    got = rotation(torch.tensor([[a, b, c]], dtype=DOUBLE))[0]
    torch.testing.assert_close(got, z @ y @ x)
    torch.testing.assert_close(got @ got.T, torch.eye(3, dtype=DOUBLE))


def moved(point, **angles_deg):
    at = torch.tensor(point)[None, :, None, None]
    return move(at, view_of(**angles_deg)[None]).flatten().tolist()


def test_signs_of_yaw_pitch_and_roll():
    nose = (0.0, 0.0, 0.9)
    assert moved(nose, yaw_deg=30) == pytest.approx([-0.05, 0, 1 - 0.1 * math.cos(math.pi / 6)])
    assert moved(nose, pitch_deg=30) == pytest.approx([0, 0.05, 1 - 0.1 * math.cos(math.pi / 6)])
    assert moved(nose, roll_deg=30) == pytest.approx(nose)
    ear = (0.1, 0.0, 1.0)
    assert moved(ear, roll_deg=90) == pytest.approx([0, 0.1, 1], abs=1e-6)  # right goes down


def test_offsets_shift_after_the_turn():
    view = view_of(roll_deg=90)
    view[3:] = torch.tensor([0.01, 0.02, 0.03])
    got = move(torch.tensor([0.1, 0.0, 1.0])[None, :, None, None], view[None])
    assert got.flatten().tolist() == pytest.approx([0.01, 0.12, 1.03])


def test_move_back_undoes_move():
    torch.manual_seed(0)
    points, view = torch.rand(3, 3, 5, 5, dtype=DOUBLE), torch.randn(3, 6, dtype=DOUBLE)
    torch.testing.assert_close(move_back(move(points, view), view), points)


def plane(normal, size=16):
    """The depth of the plane n . p = n . (0, 0, 1)."""
    n = torch.tensor(normal, dtype=DOUBLE)
    return (n[2] / torch.einsum("c,chw->hw", n, rays(size, n)[0]))[None, None]


@pytest.mark.parametrize("normal", [(0.0, 0, -1), (0.6, 0, -0.8), (-0.36, 0.48, -0.8)])
def test_a_tilted_plane_has_one_normal_and_the_border_faces_the_camera(normal):
    got = normals(plane(normal))
    expected = torch.tensor(normal, dtype=DOUBLE)[:, None, None]
    torch.testing.assert_close(got[0, :, 1:-1, 1:-1], expected.expand(3, 14, 14))
    got[..., 1:-1, 1:-1] = torch.tensor([0, 0, -1.0], dtype=DOUBLE)[:, None, None]
    assert torch.equal(got, torch.tensor([0, 0, -1.0])[:, None, None].expand(1, 3, 16, 16).double())


def test_normals_of_a_sphere_point_away_from_its_centre():
    size, radius = 64, 0.2
    centre = torch.tensor([0.0, 0, 1.1], dtype=DOUBLE)
    ray = rays(size, centre)[0]
    a, b = (ray**2).sum(0), ray[2] * centre[2]
    depth = (b - (b**2 - a * (centre[2] ** 2 - radius**2)).sqrt()) / a
    expected = (depth * ray - centre[:, None, None]) / radius
    got = normals(depth[None, None])[0]
    error = (got - expected)[:, 1:-1, 1:-1].norm(dim=0)
    assert error.max() < 1e-3
    assert got[2].max() < 0
    torch.testing.assert_close(got.norm(dim=0), torch.ones(size, size, dtype=DOUBLE))


def test_autocast_does_not_reach_views():
    points, view = unproject(0.9 + 0.2 * torch.rand(1, 1, 8, 8)), view_of(31.0, -7.0)[None]
    expected = move(points, view)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(move(points, view), expected)
        torch.testing.assert_close(move_back(expected, view), points)


def test_a_reflected_face_is_rendered_as_the_mirror_image():
    face = example_face(32, 2)
    face = face.with_view(torch.tensor([0.1, 0.3, 0.05, 0.01, -0.02, 0.0]))
    own, other = GridRenderer()(face), GridRenderer()(reflected(face))
    inside = (own.mask * other.mask.flip(-1)).expand(-1, 3, -1, -1) > 0
    assert inside.float().mean() > 0.5
    torch.testing.assert_close(other.image.flip(-1)[inside], own.image[inside], atol=0.02, rtol=0)
    back = reflected(reflected(face))
    torch.testing.assert_close(back.view, face.view)
    torch.testing.assert_close(back.light.packed(), face.light.packed())
    assert torch.equal(back.depth, face.depth) and torch.equal(back.albedo, face.albedo)
