"""Mesh files, read back by another program's reader."""

import io

import numpy as np
import pytest
import torch
import trimesh

from l2rkit.face import Face, Light
from l2rkit.geometry import focal, grid_triangles
from l2rkit.viz.mesh import glb, grid_uv, to_bytes

SIZE = 5


def face():
    """Two faces; the second is a flat square with a nose, its red the column, green the row."""
    depth = torch.ones(2, 1, SIZE, SIZE)
    depth[1, 0, 2, 2] = 0.9
    line = torch.arange(SIZE) / (SIZE - 1)
    albedo = torch.zeros(2, 3, SIZE, SIZE)
    albedo[1, 0], albedo[1, 1] = line, line[:, None]
    light = Light(torch.ones(2), torch.zeros(2), torch.tensor([[0.0, 0, -1]] * 2))
    return Face(depth, albedo, light, torch.rand(2, 6))


@pytest.fixture(scope="module")
def mesh():
    scene = trimesh.load(io.BytesIO(glb(face(), 1)), file_type="glb", process=False)
    (mesh,) = scene.geometry.values()
    return mesh


def test_vertices_are_the_pixels_with_y_up_and_z_towards_the_viewer(mesh):
    assert mesh.vertices.shape == (SIZE**2, 3) and mesh.faces.shape == (2 * (SIZE - 1) ** 2, 3)
    edge = (SIZE - 1) / 2 / focal(SIZE)
    np.testing.assert_allclose(mesh.vertices[0], [-edge, edge, 0], atol=1e-6)  # top left
    np.testing.assert_allclose(mesh.vertices[SIZE - 1], [edge, edge, 0], atol=1e-6)
    np.testing.assert_allclose(mesh.vertices[-1], [edge, -edge, 0], atol=1e-6)
    np.testing.assert_allclose(mesh.vertices[12], [0, 0, 0.1], atol=1e-6)  # the nose


def test_every_triangle_faces_the_viewer(mesh):
    assert (mesh.face_normals[:, 2] > 0).all()
    triangles = grid_triangles(SIZE, SIZE).numpy()
    used = np.sort(triangles, 1)
    assert len(np.unique(used, axis=0)) == 2 * (SIZE - 1) ** 2
    areas = mesh.area_faces * np.abs(mesh.face_normals[:, 2])  # seen from ahead: half a cell each
    side = 1 / focal(SIZE)
    flat = [i for i, t in enumerate(triangles) if 12 not in t]
    np.testing.assert_allclose(areas[flat], side**2 / 2, rtol=1e-4)


def test_the_texture_at_each_vertex_is_its_pixel(mesh):
    texture = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB"))
    u, v = mesh.visual.uv.T  # as trimesh reads it, v upwards
    column, row = u * SIZE - 0.5, (1 - v) * SIZE - 0.5
    wanted = np.arange(SIZE)
    np.testing.assert_allclose(column.reshape(SIZE, SIZE), np.tile(wanted, (SIZE, 1)), atol=1e-4)
    np.testing.assert_allclose(row.reshape(SIZE, SIZE).T, np.tile(wanted, (SIZE, 1)), atol=1e-4)
    colours = texture[row.round().astype(int), column.round().astype(int)].reshape(SIZE, SIZE, 3)
    np.testing.assert_array_equal(colours, to_bytes(face().albedo[1]))
    assert colours[0, -1].tolist() == [255, 0, 0] and colours[-1, 0].tolist() == [0, 255, 0]


def test_uv_are_pixel_centres():
    assert grid_uv(2).tolist() == [[0.25, 0.75], [0.75, 0.75], [0.25, 0.25], [0.75, 0.25]]


def test_bytes_are_rounded_and_clipped():
    image = torch.tensor([-1.0, 0.4999, 2.0])[:, None, None]
    assert to_bytes(image).tolist() == [[[0, 127, 255]]]


def test_a_face_with_gradients_is_exported():
    with_gradients = face()
    with_gradients.depth.requires_grad_()
    assert glb(with_gradients)[:4] == b"glTF"
