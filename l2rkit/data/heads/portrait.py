"""Renders a character of version 2: image, depth, albedo, normals and occluder mask.

Depth, normals and albedo are the head's own, including relief, also behind glasses, hair, beards
and hats.
"""

from functools import lru_cache

import cv2
import numpy as np

from l2rkit.data.heads.atlas import eye_uv, skin_uv
from l2rkit.data.heads.capture import Capture
from l2rkit.data.heads.character import Character
from l2rkit.data.heads.head_model import SCALE, HeadModel
from l2rkit.data.heads.occluders import Part, Shell
from l2rkit.data.heads.relief import MM, bounded, expression_height
from l2rkit.data.heads.render import BACKGROUND_DEPTH, SUPERSAMPLING, moved, project
from l2rkit.data.heads.texturing import covered, front_triangles, lit, surface_gradients, textured
from l2rkit.render.mesh_raster import interpolate, rasterize_mesh, vertex_normals

SHARPNESS, EYE_SHARPNESS, EYE_GLOSS = 10.0, 80.0, 0.25  # Blinn-Phong
HIDDEN = 0.25  # a pixel counts as occluded above this share


def render_portrait(model: HeadModel, person: Character, capture: Capture, size: int) -> dict:
    """{img (S,S,3) in [0,1], depth (S,S), albedo (S,S,3), normal (S,S,3), occluder (S,S) 0 or 1}.

    The image is supersampled, with highlights in addition to Lambertian shading. The other maps are
    those of pixel centres, from textures with texels as large as pixels. On the background depth is
    BACKGROUND_DEPTH, the normal is (0, 0, -1) and the albedo is the background.
    """
    points = moved(person.head + SCALE * model.offsets("action", capture.action), capture)
    normals = vertex_normals(points, model.triangles)
    attributes = _attributes(model, points, normals)
    side = len(person.height)
    height = person.height + expression_height(capture.action, person.age, side, model)
    sharp, coarse = _layers(person, bounded(height), size)
    front = front_triangles(project(points, size), model.triangles, size)
    head = model, person, capture, points, attributes
    maps = _maps(*head, size, 1, coarse, front)
    fine = _maps(*head, size * SUPERSAMPLING, SUPERSAMPLING, sharp, front)
    image = _lit(fine, capture.light, person.gloss)
    hidden = np.zeros(image.shape[:2], np.float32)
    for occluder in person.occluders:
        if isinstance(occluder, Shell):
            layer = _shell(occluder, points, normals, size, capture.light)
        else:
            layer = _part(occluder, capture, size)
        colour, opacity, depth = layer
        opacity = opacity * (depth < fine["depth"])
        image = image + (colour - image) * opacity[..., None]
        hidden = hidden + (1 - hidden) * opacity
    share = cv2.resize(hidden, (size, size), interpolation=cv2.INTER_AREA)
    return dict(
        img=cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA).clip(0, 1),
        depth=maps["depth"], albedo=maps["albedo"], normal=maps["normal"],
        occluder=(share > HIDDEN).astype(np.uint8),
    )  # fmt: skip


def _layers(person: Character, height: np.ndarray, size: int) -> list[np.ndarray]:
    """The skin textures for `textured`: for the supersampled picture, and for one of `size` px."""
    side = len(height)
    stack = np.empty((side, side, 5), np.float32)
    stack[..., :3], stack[..., 3], stack[..., 4] = person.skin.colour, height, person.skin.hair
    levels = [_with_slopes(stack)]
    coarse = 2 ** max(0, round(np.log2(side / (0.9 * size))))  # texels about as large as pixels
    if coarse > 1:
        stack = cv2.resize(stack, (side // coarse,) * 2, interpolation=cv2.INTER_AREA)
    return [*levels, _with_slopes(stack) if coarse > 1 else levels[0]]


def _with_slopes(stack):
    """(T, T, 7): a stack (T, T, 5) with the height's derivatives in scene units along u and v."""
    side = len(stack)
    out = np.zeros((side, side, 7), np.float32)
    out[..., :4], out[..., 6] = stack[..., :4], stack[..., 4]
    height = stack[..., 3] * np.float32(MM * side / 2)
    out[:, 1:-1, 4] = height[:, 2:] - height[:, :-2]
    out[1:-1, :, 5] = height[2:] - height[:-2]
    return out


def _attributes(model, points, normals):
    uv, eye, inside, openness = _fixed()
    gradients = surface_gradients(points, model.triangles, uv)
    return np.column_stack([normals, gradients, uv, eye, inside, openness]).astype(np.float32)


@lru_cache(maxsize=1)
def _fixed():
    """The vertex attributes that are the same for all heads."""
    model = HeadModel.load()
    eye = eye_uv(model.mean, model.eye)
    eye[:, 0] += model.mean[:, 0] > 0  # the patches lie side by side
    openness = 0.30 + 0.70 * np.clip((model.openness - 0.08) / 0.44, 0, 1)
    uv = skin_uv(model.mean).astype(np.float32)
    return uv, eye.astype(np.float32), model.masks["inside-mouth"], openness.astype(np.float32)


def _maps(model, person, capture, points, attributes, size, finer, layer, triangles):
    face, weights, depth = rasterize_mesh(project(points, size, finer), triangles, size)
    grid = capture.background[0]
    albedo = cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    eyes = np.ascontiguousarray(person.skin.eyes)
    normal, gloss = textured(
        face, weights, depth, triangles, model.part, attributes, layer, eyes, MM, albedo
    )
    depth = np.where(
        face >= 0, np.minimum(depth, BACKGROUND_DEPTH - np.float32(1e-3)), BACKGROUND_DEPTH
    )
    return dict(depth=depth, albedo=albedo, normal=normal, face=face, gloss=gloss)


def _lit(maps, light, gloss):
    """(H, W, 3): the picture of the head without occluders."""
    shine, sharpness = np.array([gloss, EYE_GLOSS]), np.array([SHARPNESS, EYE_SHARPNESS])
    return lit(*(maps[k] for k in ("face", "albedo", "normal", "gloss")), light, shine, sharpness)


def _shell(shell, points, normals, size, light):
    size = size * SUPERSAMPLING
    outer = points + SCALE * shell.thickness[:, None] * normals
    pixels = project(outer, size, SUPERSAMPLING)
    triangles = front_triangles(pixels, _outer_skin(), size)
    face, weights, depth = rasterize_mesh(pixels, triangles, size)
    attributes = np.column_stack([normals, _fixed()[0]]).astype(np.float32)
    texture = np.dstack([shell.colour, shell.cover]).astype(np.float32)
    return (*covered(face, weights, triangles, attributes, texture, light), depth)


def _part(part: Part, capture, size):
    size = size * SUPERSAMPLING
    points = moved(part.points, capture)
    pixels = project(points, size, SUPERSAMPLING)
    face, weights, depth = rasterize_mesh(pixels, part.triangles, size)
    seen = face >= 0
    normals = vertex_normals(points, part.triangles)
    bent = interpolate(face[seen], weights[seen], part.triangles, normals)
    bent = bent / (np.linalg.norm(bent, axis=1, keepdims=True) + 1e-9)
    bent = bent * np.where(bent[:, 2:] > 0, -1, 1)
    light = capture.light
    half = light[2:] + np.float32([0, 0, -1])
    shading = light[0] + light[1] * (bent @ light[2:]).clip(0)
    shine = part.gloss * light[1] * (bent @ (half / np.linalg.norm(half))).clip(0) ** 30
    colour, opacity = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    number = face[seen]
    colour[seen] = part.colour[number] * shading[:, None] + shine[:, None]
    opacity[seen] = part.opacity[number]
    return colour, opacity, depth


@lru_cache(maxsize=1)
def _outer_skin():
    """(T, 3): the triangles of shells: skin without ears, mouth and the texture's seam."""
    model = HeadModel.load()
    flat = (model.part == 0) & (model.masks["inside-mouth"] < 0.5) & (model.masks["ears"] < 0.3)
    across = np.ptp(skin_uv(model.mean)[model.triangles, 0], axis=1)
    return np.ascontiguousarray(model.triangles[flat[model.triangles].all(1) & (across < 0.3)])
