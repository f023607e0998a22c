"""Mesh files, read by trimesh, and checked by Khronos' validator if installed."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from l2rkit.io.names import file_name
from l2rkit.structures import Face
from l2rkit.testing import example_face
from l2rkit.viz.formats import MESHES, colours, with_seam
from l2rkit.viz.mesh import mesh_of, to_bytes

SIZE = 20
NAME = "my face"  # a name with a space, as photos have


def face() -> Face:
    plain = example_face(SIZE)
    generator = torch.Generator().manual_seed(0)
    added = 0.001 * torch.randn(2, 1, SIZE, SIZE, generator=generator)
    return replace(plain, depth=plain.depth + added, displacement=added)


def written(mesh: trimesh.Trimesh, kind: str, folder: Path) -> Path:
    files = MESHES[kind].write(mesh, NAME)
    assert set(files) == set(MESHES[kind].endings)
    for ending, content in files.items():
        (folder / file_name(NAME, ending)).write_bytes(content)
    return folder / f"{NAME}.{kind}"


def read(path: Path) -> trimesh.Trimesh:
    (mesh,) = trimesh.load(path, process=False, force="scene").geometry.values()
    return mesh


@pytest.mark.parametrize("watertight", [False, True])
@pytest.mark.parametrize("kind", ["glb", "obj", "ply"])
def test_what_is_read_is_what_was_written(kind: str, watertight: bool, tmp_path: Path) -> None:
    mesh = mesh_of(face(), 1, watertight=watertight)
    got = read(written(mesh, kind, tmp_path))
    expected = mesh if kind == "ply" else with_seam(mesh)
    np.testing.assert_allclose(got.vertices, expected.vertices, atol=1e-6)
    np.testing.assert_array_equal(got.faces, expected.faces)
    np.testing.assert_allclose(got.vertex_normals, expected.vertex_normals, atol=1e-4)
    front = len(mesh_of(face(), 1).vertices)
    assert (got.vertex_normals[:front, 2] > 0).all()
    got.merge_vertices(merge_tex=True, merge_norm=True)
    assert got.is_watertight == watertight


@pytest.mark.parametrize("kind", ["glb", "obj"])
def test_textures_keep_their_pixels(kind: str, tmp_path: Path) -> None:
    mesh = mesh_of(face(), 1)
    got = read(written(mesh, kind, tmp_path))
    np.testing.assert_allclose(got.visual.uv, mesh.visual.uv, atol=1e-6)
    material = got.visual.material
    texture = material.baseColorTexture if kind == "glb" else material.image
    assert texture.size == (SIZE, SIZE)
    np.testing.assert_array_equal(np.asarray(texture.convert("RGB")), to_bytes(face().albedo[1]))


def test_a_glb_has_a_rough_material_and_the_relief(tmp_path: Path) -> None:
    material = read(written(mesh_of(face()), "glb", tmp_path)).visual.material
    assert (material.metallicFactor, material.roughnessFactor) == (0, 1)
    expected = mesh_of(face()).visual.material.normalTexture
    np.testing.assert_array_equal(np.asarray(material.normalTexture), np.asarray(expected))


def test_vertex_colours_are_the_pixels(tmp_path: Path) -> None:
    expected = to_bytes(face().albedo[0]).reshape(-1, 3)
    mesh = mesh_of(face(), keep_background=True)
    np.testing.assert_array_equal(colours(mesh), expected)
    got = read(written(mesh, "ply", tmp_path)).visual.vertex_colors
    np.testing.assert_array_equal(got[:, :3], expected)


def test_an_stl_is_whole_again_once_its_corners_are_joined(tmp_path: Path) -> None:
    mesh = mesh_of(face(), watertight=True, width_mm=150)
    got = trimesh.load(written(mesh, "stl", tmp_path))
    assert got.is_volume and got.volume == pytest.approx(mesh.volume, rel=1e-4)
    assert len(got.faces) == len(mesh.faces)


@pytest.mark.parametrize("kind", MESHES)
def test_millimetres_are_metres_in_gltf_alone(kind: str, tmp_path: Path) -> None:
    mesh = mesh_of(face(), width_mm=150)
    unit = 0.001 if kind == "glb" else 1
    got = trimesh.load(written(mesh, kind, tmp_path), force="mesh", process=False)
    np.testing.assert_allclose(got.extents, mesh.extents * unit, rtol=1e-4)
    assert mesh.extents[0] == pytest.approx(150)  # the mesh that was exported has not changed


def node(code: str, *words: object) -> subprocess.CompletedProcess:
    return subprocess.run(["node", "-e", code, *map(str, words)], capture_output=True, text=True)


no_validator = shutil.which("node") is None or node("require('gltf-validator')").returncode != 0
VALIDATE = """
const file = new Uint8Array(require('fs').readFileSync(process.argv[1]));
require('gltf-validator').validateBytes(file).then(r => console.log(JSON.stringify(r.issues)));
"""


@pytest.mark.skipif(no_validator, reason="needs node with gltf-validator in NODE_PATH")
@pytest.mark.parametrize("shape", [{}, {"watertight": True}, {"width_mm": 150}])
def test_khronos_finds_nothing_wrong(shape: dict, tmp_path: Path) -> None:
    issues = json.loads(node(VALIDATE, written(mesh_of(face(), **shape), "glb", tmp_path)).stdout)
    assert issues["numErrors"] == 0, issues["messages"]
    warned = {issue["code"] for issue in issues["messages"] if issue["severity"] == 1}
    # a normal map without tangents is allowed, and viewers derive them in the same way
    assert warned <= {"MESH_PRIMITIVE_GENERATED_TANGENT_SPACE"}
