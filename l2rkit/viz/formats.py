"""Meshes as files. What a format consists of is said by the ends of its files' names."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import torch
import trimesh
from trimesh.exchange.obj import export_obj
from trimesh.visual import ColorVisuals, TextureVisuals
from trimesh.visual.base import Visuals
from trimesh.visual.material import SimpleMaterial

from ..geometry import normals
from ..render.shading import shade
from ..structures import Face, Light, each_tensor
from .mesh import IN_FRONT, mesh_of

Files = dict[str, bytes]  # by the ends of their names, such as ".glb"
NAMED = (".mtl", "-albedo.png")  # by other files
AMBIENT, ABOVE = 0.65, (0.0, -0.29, -0.957)  # the light of previews: its share, and whence it comes
UNLIT = "KHR_materials_unlit"
WHITE, BLACK = (255, 255, 255, 255), (0, 0, 0, 255)


def as_glb(mesh: trimesh.Trimesh, name: str) -> Files:
    """glTF's binary form, textures included. Its unit is the metre: millimetres are converted."""
    scale = 0.001 if mesh.units == "mm" else 1.0
    mesh = with_seam(mesh)
    if scale != 1:
        mesh = again(mesh, mesh.visual, scale)
    return {".glb": mesh.export(file_type="glb", include_normals=True)}


def file_name(name: str, ending: str) -> str:
    """What the file of a mesh called `name` is called that ends so.

    Files that stand by name in the text of others have plain names: letters, digits, `.`, `_`, `-`.
    Readers part that text at spaces, and guess at how other letters are encoded.
    """
    return f"{plain(name) if ending in NAMED else name}{ending}"


def plain(name: str) -> str:
    """The name itself if it is plain ASCII; else one for it alone that is."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    if safe == name and not name.startswith("-"):
        return name
    return f"{safe.lstrip('-')}-{sha256(os.fsencode(name)).hexdigest()[:8]}"


def as_obj(mesh: trimesh.Trimesh, name: str) -> Files:
    """Wavefront's text form, the material beside it, the colours beside that; see `file_name`."""
    name, mesh = plain(name), with_seam(mesh)
    matt = SimpleMaterial(
        mesh.visual.material.baseColorTexture,
        diffuse=WHITE,
        ambient=WHITE,
        specular=BLACK,
        name=f"{name}-albedo",
    )
    text, beside = export_obj(
        again(mesh, TextureVisuals(mesh.visual.uv, material=matt)),
        include_normals=True,
        return_texture=True,
        mtl_name=f"{name}.mtl",
    )
    return {".obj": text.encode(), **{file[len(name) :]: data for file, data in beside.items()}}


def as_ply(mesh: trimesh.Trimesh, name: str) -> Files:
    """Stanford's binary form, each vertex with its colour."""
    coloured = again(mesh, ColorVisuals(vertex_colors=colours(mesh)))
    return {".ply": coloured.export(file_type="ply", vertex_normal=True)}


def as_stl(mesh: trimesh.Trimesh, name: str) -> Files:
    """The binary form that printers read: triangles without colour."""
    return {".stl": mesh.export(file_type="stl")}


def with_seam(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """A closed mesh whose walls have vertices of their own at the rim, in the colour of the back.

    Without them, the texture of all of the face would lie on the walls. An open mesh stays.
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


def again(mesh: trimesh.Trimesh, visual: Visuals, scale: float = 1.0) -> trimesh.Trimesh:
    """The mesh with another look or size, and its own normals, which trimesh's copies forget."""
    return trimesh.Trimesh(
        mesh.vertices * scale,
        mesh.faces,
        vertex_normals=mesh.vertex_normals,
        visual=visual,
        process=False,
    )


def colours(mesh: trimesh.Trimesh) -> np.ndarray:
    """(N, 3) uint8: the texture's pixel nearest to each vertex."""
    texture = np.asarray(mesh.visual.material.baseColorTexture)
    place = mesh.visual.uv * texture.shape[1::-1] - 0.5
    column, row = place.round().astype(int).T
    return texture[len(texture) - 1 - row, column]


@dataclass(frozen=True)
class Format:
    """A way to write a mesh: the ends of its files' names, and what makes the files."""

    endings: tuple[str, ...]
    write: Callable[[trimesh.Trimesh, str], Files]


MESHES = {
    "glb": Format((".glb",), as_glb),
    "obj": Format((".obj", ".mtl", "-albedo.png"), as_obj),
    "ply": Format((".ply",), as_ply),
    "stl": Format((".stl",), as_stl),
}


def preview(face: Face, index: int = 0) -> bytes:
    """A mesh as `glb` has it, whose colours hold the shadows of a light from before and above.

    Viewers that know the extension KHR_materials_unlit add no light of their own, so that it looks
    the same in all of them.
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
    """A textured mesh of one face of the batch, in glTF's binary form; see `mesh_of`."""
    return as_glb(mesh_of(face, index, keep_background), "")[".glb"]
