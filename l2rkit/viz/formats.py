"""Writes meshes as GLB, OBJ, PLY and STL, in one or more files of different suffixes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import trimesh
from trimesh.exchange.obj import export_obj
from trimesh.visual import ColorVisuals, TextureVisuals
from trimesh.visual.base import Visuals
from trimesh.visual.material import SimpleMaterial

from ..geometry import normals
from ..io.names import REFERENCED, plain
from ..render.shading import shade
from ..structures import Face, Light, each_tensor
from .mesh import IN_FRONT, mesh_of

Files = dict[str, bytes]  # contents by the endings of file names, such as ".glb"
AMBIENT, ABOVE = 0.65, (0.0, -0.29, -0.957)  # light of previews: ambient share, direction
UNLIT = "KHR_materials_unlit"
WHITE, BLACK = (255, 255, 255, 255), (0, 0, 0, 255)


def as_glb(mesh: trimesh.Trimesh, name: str) -> Files:
    """A binary glTF file with its textures. Its unit is the metre: millimetres are converted."""
    scale = 0.001 if mesh.units == "mm" else 1.0
    mesh = with_seam(mesh)
    if scale != 1:
        mesh = with_visual(mesh, mesh.visual, scale)
    return {".glb": mesh.export(file_type="glb", include_normals=True)}


def as_obj(mesh: trimesh.Trimesh, name: str) -> Files:
    """A Wavefront text file, its material and its texture; see `file_name`."""
    name, mesh = plain(name), with_seam(mesh)
    matt = SimpleMaterial(
        mesh.visual.material.baseColorTexture,
        diffuse=WHITE,
        ambient=WHITE,
        specular=BLACK,
        name=f"{name}-albedo",
    )
    text, beside = export_obj(
        with_visual(mesh, TextureVisuals(mesh.visual.uv, material=matt)),
        include_normals=True,
        return_texture=True,
        mtl_name=f"{name}.mtl",
    )
    files = {file[len(name) :]: data for file, data in beside.items()}
    # first what others refer to, so that after an error no file names one that is missing
    return {kind: files[kind] for kind in reversed(REFERENCED)} | {".obj": text.encode()}


def as_ply(mesh: trimesh.Trimesh, name: str) -> Files:
    """A binary Stanford file with a colour for each vertex."""
    coloured = with_visual(mesh, ColorVisuals(vertex_colors=colours(mesh)))
    return {".ply": coloured.export(file_type="ply", vertex_normal=True)}


def as_stl(mesh: trimesh.Trimesh, name: str) -> Files:
    """A binary STL file, the format of 3D printers: triangles without colour."""
    return {".stl": mesh.export(file_type="stl")}


def with_seam(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """A closed mesh with separate vertices for its walls at the rim, in the colour of the back.

    With shared vertices, the texture of the whole face would be stretched over the walls. An open
    mesh is returned unchanged.
    """
    front = mesh.metadata.get(IN_FRONT)
    if front is None:
        return mesh
    count = len(mesh.vertices) // 2  # of vertices in front, and behind
    behind = mesh.faces[front:].copy()
    edge = np.unique(behind[behind < count])
    fresh = np.full(count, -1)
    fresh[edge] = len(mesh.vertices) + np.arange(len(edge))
    at_rim = behind < count
    behind[at_rim] = fresh[behind[at_rim]]
    vertices = np.concatenate([mesh.vertices, mesh.vertices[edge]])
    outwards, walls = np.zeros_like(vertices), behind[at_rim.any(1)]
    across = np.cross(*(vertices[walls[:, i]] - vertices[walls[:, 0]] for i in (1, 2)))
    for corner in walls.T:
        np.add.at(outwards, corner, across)
    normal = outwards[len(mesh.vertices) :]
    normal = normal / np.linalg.norm(normal, axis=1, keepdims=True).clip(1e-12)
    uv = np.concatenate([mesh.visual.uv, np.tile(mesh.visual.uv[-1], (len(edge), 1))])
    return trimesh.Trimesh(
        vertices,
        np.concatenate([mesh.faces[:front], behind]),
        vertex_normals=np.concatenate([mesh.vertex_normals, normal]),
        visual=TextureVisuals(uv, material=mesh.visual.material),
        process=False,
    )


def with_visual(mesh: trimesh.Trimesh, visual: Visuals, scale: float = 1.0) -> trimesh.Trimesh:
    """The mesh with another visual or scale. Keeps the normals, which trimesh's copies lose."""
    return trimesh.Trimesh(
        mesh.vertices * scale,
        mesh.faces,
        vertex_normals=mesh.vertex_normals,
        visual=visual,
        process=False,
    )


def colours(mesh: trimesh.Trimesh) -> np.ndarray:
    """(N, 3) uint8: the colour of the texture at each vertex, from the nearest pixel."""
    texture = np.asarray(mesh.visual.material.baseColorTexture)
    place = mesh.visual.uv * texture.shape[1::-1] - 0.5
    column, row = place.round().astype(int).T
    return texture[len(texture) - 1 - row, column]


@dataclass(frozen=True)
class Format:
    """A mesh format: the endings of its files, and the function that makes their contents."""

    endings: tuple[str, ...]
    write: Callable[[trimesh.Trimesh, str], Files]


MESHES = {
    "glb": Format((".glb",), as_glb),
    "obj": Format((".obj", ".mtl", "-albedo.png"), as_obj),
    "ply": Format((".ply",), as_ply),
    "stl": Format((".stl",), as_stl),
}


def preview(face: Face, index: int = 0) -> bytes:
    """A GLB file as `glb` makes it, but shaded by a light from the front and above.

    Its colours contain the shading. Viewers that support the extension KHR_materials_unlit add no
    light, so the face looks the same in all of them.
    """
    one = each_tensor(face, lambda tensor: tensor[index : index + 1].detach().cpu().float())
    light = Light(torch.full((1,), AMBIENT), torch.full((1,), 1 - AMBIENT), torch.tensor([ABOVE]))
    mesh = mesh_of(one, texture=shade(one.albedo, normals(one.depth), light).clamp(0, 1))
    mesh.visual.material.normalTexture = None

    def unlit(tree: dict) -> None:
        tree["extensionsUsed"] = [*tree.get("extensionsUsed", ()), UNLIT]
        for material in tree["materials"]:
            material["extensions"] = {UNLIT: {}}

    return mesh.export(file_type="glb", include_normals=True, tree_postprocessor=unlit)


def glb(face: Face, index: int = 0, keep_background: bool = False) -> bytes:
    """A binary glTF file of one face of the batch, with texture; see `mesh_of`."""
    return as_glb(mesh_of(face, index, keep_background), "")[".glb"]
