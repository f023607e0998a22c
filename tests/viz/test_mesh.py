"""Mesh files, read by another program's reader."""

import io
import json

import numpy as np
import pytest
import torch
import trimesh

from l2rkit.errors import UserError
from l2rkit.geometry import focal, grid_triangles
from l2rkit.ops.resize import aligned
from l2rkit.structures import Face, Light, each_tensor
from l2rkit.testing import example_face
from l2rkit.viz.formats import MESHES, colours, glb, preview, with_seam
from l2rkit.viz.mesh import IN_FRONT, grid_uv, mesh_of, to_bytes

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
    scene = trimesh.load(
        io.BytesIO(glb(face(), 1, keep_background=True)), file_type="glb", process=False
    )
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
    expected = np.arange(SIZE)
    np.testing.assert_allclose(column.reshape(SIZE, SIZE), np.tile(expected, (SIZE, 1)), atol=1e-4)
    np.testing.assert_allclose(row.reshape(SIZE, SIZE).T, np.tile(expected, (SIZE, 1)), atol=1e-4)
    colours = texture[row.round().astype(int), column.round().astype(int)].reshape(SIZE, SIZE, 3)
    np.testing.assert_array_equal(colours, to_bytes(face().albedo[1]))
    assert colours[0, -1].tolist() == [255, 0, 0] and colours[-1, 0].tolist() == [0, 255, 0]


def test_uv_are_pixel_centres():
    assert grid_uv(2, 2).tolist() == [[0.25, 0.75], [0.75, 0.75], [0.25, 0.25], [0.75, 0.25]]


def test_a_finer_texture_has_the_same_outermost_pixel_centres():
    line = grid_uv(3, 5).reshape(3, 3, 2)[0, :, 0]
    assert line.tolist() == pytest.approx([0.1, 0.5, 0.9])
    texture = torch.arange(25.0).reshape(5, 5).expand(1, 3, 5, 5) / 255
    mesh = mesh_of(each_tensor(face(), lambda x: x[1:]), keep_background=True, texture=texture)
    assert colours(mesh)[:, 0].tolist() == list(range(25))
    fine = aligned(texture, 9)
    mesh = mesh_of(face(), keep_background=True, texture=fine)
    assert colours(mesh)[:, 0].tolist() == list(range(25))


def test_bytes_are_rounded_and_clipped():
    image = torch.tensor([-1.0, 0.4999, 2.0])[:, None, None]
    assert to_bytes(image).tolist() == [[[0, 127, 255]]]


def test_a_face_with_gradients_is_exported():
    with_gradients = face()
    with_gradients.depth.requires_grad_()
    assert glb(with_gradients)[:4] == b"glTF"


def mask_like(size: int = 48) -> Face:
    """A dome of a face in the middle, cliffs around it, and a flat background far behind."""
    line = torch.linspace(-1, 1, size)
    radius = (line**2 + line[:, None] ** 2).sqrt()
    depth = torch.where(radius < 0.6, 0.95 + 0.05 * radius**2, 1.08)[None, None]
    albedo = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    light = Light(torch.ones(1), torch.zeros(1), torch.tensor([[0.0, 0, -1]]))
    return Face(depth, albedo, light, torch.zeros(1, 6))


def test_normals_of_vertices_face_outwards_and_are_those_of_the_surface():
    mesh = mesh_of(example_face(24), 1, keep_background=True)
    inner = np.flatnonzero((np.abs(grid_uv(24, 24) - 0.5) < 0.4).all(1))
    fields = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    for vertex in inner[::17]:  # the mean of the triangles around it, which trimesh works out
        around = fields.face_normals[(fields.faces == vertex).any(1)].mean(0)
        assert around @ mesh.vertex_normals[vertex] > 0.99 * np.linalg.norm(around)


def test_the_crop_is_the_dome_without_background():
    mesh = mesh_of(mask_like())
    reach = np.linalg.norm(mesh.vertices[:, :2], axis=1).max()
    half = np.tan(np.radians(5)) * 0.968  # half of the picture's width at the dome's rim
    assert 0.42 * half < reach < 0.6 * half
    assert (mesh.vertices[:, 2] > 0).all(), "something of the background is left"
    assert mesh.euler_number == 1  # a disc: one piece without holes
    assert mesh_of(mask_like(), keep_background=True).vertices[:, 2].min() < -0.07


def test_what_the_cut_adds_lies_between_the_pixels():
    mesh = mesh_of(mask_like())
    whole = mesh_of(mask_like(), keep_background=True)
    place = mesh.visual.uv * 48 - 0.5  # in pixels, v upwards
    between = np.abs(place - place.round()).max(1) > 1e-6
    assert 40 < between.sum() < len(place) / 3
    column, row = place[~between].round().astype(int).T
    np.testing.assert_allclose(
        mesh.vertices[~between], whole.vertices[(47 - row) * 48 + column], atol=1e-9
    )
    half = np.tan(np.radians(5))  # uv gives the ray, the ray the point
    ray = (place - 23.5) / 23.5 * half
    np.testing.assert_allclose(mesh.vertices[:, :2], ray * (1 - mesh.vertices[:, 2:]), atol=2e-5)
    np.testing.assert_allclose(np.linalg.norm(mesh.vertex_normals, axis=1), 1)


def test_a_closed_mesh_can_be_printed():
    for keep in (False, True):
        front = mesh_of(mask_like(), keep_background=keep)
        solid = mesh_of(mask_like(), keep_background=keep, watertight=True)
        assert not front.is_watertight
        assert solid.is_watertight and solid.is_winding_consistent and solid.is_volume
        assert solid.volume > 0 and solid.euler_number == 2  # a ball
        back = np.isclose(solid.vertices[:, 2], solid.bounds[0, 2])
        assert back.sum() == len(front.vertices), "the back is not flat"
        np.testing.assert_allclose(solid.vertices[~back], front.vertices, atol=1e-9)


@pytest.mark.parametrize("kind", ["glb", "obj"])
def test_the_back_of_a_solid_shows_no_face(kind):
    """Walls and back have the one colour of the rim, wherever a triangle of them is looked at."""
    red_rim = mask_like()
    red_rim.albedo[:] = torch.tensor([0.8, 0.2, 0.2])[:, None, None]
    red_rim.albedo[..., 20:28, 20:28] = torch.tensor([0.0, 0, 1])[:, None, None]  # a blue nose
    solid = mesh_of(red_rim, watertight=True)
    seamed = with_seam(solid)
    front = solid.metadata[IN_FRONT]
    texture = np.asarray(seamed.visual.material.baseColorTexture)
    sizes = np.array(texture.shape[1::-1])
    rng = np.random.default_rng(0)
    for triangles, kinds in ((seamed.faces[front:], 1), (seamed.faces[:front], 2)):
        share = rng.dirichlet([1, 1, 1], len(triangles))
        uv = (seamed.visual.uv[triangles] * share[..., None]).sum(1)
        column, row = (uv * sizes - 0.5).round().astype(int).T
        seen = texture[len(texture) - 1 - row, column]
        assert len(np.unique(seen, axis=0)) == kinds
    assert seen[seen[:, 2] == 255].size and (texture[-1] == [204, 51, 51]).all()
    written = MESHES[kind].write(solid, "me")
    loaded = trimesh.load(io.BytesIO(written[f".{kind}"]), file_type=kind, force="mesh")
    loaded.merge_vertices(merge_tex=True, merge_norm=True)
    assert loaded.is_volume and loaded.volume == pytest.approx(solid.volume, rel=1e-4)
    walls = seamed.vertex_normals[len(solid.vertices) :]
    away = seamed.vertices[len(solid.vertices) :] * [1, 1, 0]
    assert ((walls * away).sum(1) > 0).all()  # they face outwards


def test_an_open_mesh_has_no_seam_and_its_back_is_not_drawn():
    mesh = mesh_of(mask_like())
    assert with_seam(mesh) is mesh
    assert not mesh.visual.material.doubleSided


def test_a_preview_has_its_own_shadows_and_no_other():
    flat = each_tensor(mask_like(), lambda tensor: tensor.clone())
    flat.albedo[:] = 0.5
    content = preview(flat)
    length = int.from_bytes(content[12:16], "little")
    tree = json.loads(content[20 : 20 + length])
    assert tree["extensionsUsed"] == ["KHR_materials_unlit"]
    assert [m["extensions"] for m in tree["materials"]] == [{"KHR_materials_unlit": {}}]
    mesh = trimesh.load(io.BytesIO(content), file_type="glb", force="mesh", process=False)
    np.testing.assert_allclose(mesh.vertices, mesh_of(flat).vertices, atol=1e-6)
    seen = np.asarray(mesh.visual.material.baseColorTexture.convert("L"), float) / 255
    upper, lower = seen[14:22, 20:28].mean(), seen[26:34, 20:28].mean()  # of the dome
    assert 0.3 < lower < upper < 0.5  # the light comes from above


def test_a_solid_of_a_flat_square_has_the_volume_of_a_frustum():
    flat = face()
    solid = mesh_of(flat, 0, keep_background=True, watertight=True)
    near, far, half = 1, 1 + 0.1 * np.tan(np.radians(5)), np.tan(np.radians(5))
    assert solid.volume == pytest.approx(4 * half**2 * (far**3 - near**3) / 3, rel=1e-5)


@pytest.mark.parametrize("watertight", [False, True])
def test_the_face_is_so_many_millimetres_wide_however_it_is_exported(watertight):
    alone = mesh_of(mask_like(), watertight=False, width_mm=150)
    assert alone.extents[0] == pytest.approx(150) and alone.units == "mm"
    whole = mesh_of(mask_like(), keep_background=True, watertight=watertight, width_mm=150)
    ratio = np.ptp(
        mesh_of(mask_like(), keep_background=True, watertight=watertight).vertices, axis=0
    )
    scale = 150 / mesh_of(mask_like()).extents[0]
    np.testing.assert_allclose(whole.extents, ratio * scale, rtol=1e-6)


@pytest.mark.parametrize("width", [0, -3, float("nan"), float("inf")])
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(UserError, match="width_mm above 0"):
        mesh_of(mask_like(), width_mm=width)


def test_what_is_no_surface_is_refused():
    broken = face()
    broken.depth[0, 0, 1, 1] = float("nan")
    with pytest.raises(ValueError, match="1 of 25 values of depth not finite"):
        mesh_of(broken, 0)
    assert (
        len(mesh_of(broken, 1, keep_background=True).vertices) == 25
    )  # the other face of the batch is fine
