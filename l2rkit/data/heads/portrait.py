"""Draw a character in a scene: image, depth, albedo, normals and what occluders hide.

Depth, normals and albedo are the head's own, relief included, also where an occluder hides it;
`occluder` says where. So the truth behind glasses, hair, beards and hats is known.
"""

from functools import lru_cache

import cv2
import numpy as np

from l2rkit.data.heads.atlas import eye_uv, skin_uv
from l2rkit.data.heads.character import Character
from l2rkit.data.heads.head_model import SCALE, HeadModel
from l2rkit.data.heads.occluders import Part, Shell
from l2rkit.data.heads.relief import MM, bounded, expression_height
from l2rkit.data.heads.render import FAR, SUPERSAMPLING, TURNING_POINT, project
from l2rkit.data.heads.scene import Scene, rotation
from l2rkit.data.heads.texturing import surface_gradients, textured
from l2rkit.render.mesh_raster import interpolate, rasterize_mesh, vertex_normals

SHARPNESS, EYE_SHARPNESS, EYE_GLOSS = 10.0, 80.0, 0.5  # Blinn-Phong
HIDDEN = 0.25  # share of a pixel from which on it counts as occluded
SHIRT_FROM = 1.15  # dm below the middle of the face


def render_portrait(model: HeadModel, person: Character, scene: Scene, size: int) -> dict:
    """{img (S,S,3) in [0,1], depth (S,S), albedo (S,S,3), normal (S,S,3), occluder (S,S) 0 or 1}.

    The image is averaged over finer pixels, and has highlights besides Lambert's shading; the other
    maps are those of the pixel centres, of textures as fine as the pixels. Behind the head depth is
    FAR, the normal is (0, 0, -1) and the albedo is the background.
    """
    head = person.head + SCALE * model.offsets("action", scene.action)
    turn = rotation(scene.view[:3]).T.astype(np.float32)
    points = (head - TURNING_POINT) @ turn + TURNING_POINT + scene.view[3:]
    points = points.astype(np.float32)
    normals = vertex_normals(points, model.triangles)
    attributes = _attributes(model, points, normals)
    side = len(person.height)
    height = person.height + expression_height(scene.action, person.age, side, model)
    layers = _layers(person, bounded(height))
    maps = _maps(model, person, scene, points, attributes, size, 1, layers)
    fine = _maps(model, person, scene, points, attributes, size * SUPERSAMPLING, SUPERSAMPLING, layers)
    image = _lit(fine, scene.light, person.gloss)
    hidden = np.zeros(image.shape[:2], np.float32)
    for occluder in person.occluders:
        if isinstance(occluder, Shell):
            layer = _shell(model, occluder, points, normals, size, scene.light)
        else:
            layer = _part(occluder, turn, scene, size)
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


def _layers(person: Character, height: np.ndarray) -> list[np.ndarray]:
    """The textures as `textured` wants them, each half as wide as the one before."""
    stack = np.dstack([person.skin.colour, height, person.skin.hair]).astype(np.float32)
    levels = []
    for _ in range(3):
        side = len(stack)
        along_u = np.gradient(stack[..., 3], 1 / side, axis=1) * np.float32(MM)
        along_v = np.gradient(stack[..., 3], 1 / side, axis=0) * np.float32(MM)
        levels.append(
            np.dstack([stack[..., :4], along_u, along_v, stack[..., 4]]).astype(np.float32)
        )
        stack = cv2.resize(stack, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    return levels


def _attributes(model, points, normals):
    uv, eye, inside, openness = _fixed()
    gradients = surface_gradients(points, model.triangles, uv)
    return np.column_stack([normals, gradients, uv, eye, inside, openness]).astype(np.float32)


@lru_cache(maxsize=1)
def _fixed():
    """What of the attributes of vertices is the same for all heads."""
    model = HeadModel.load()
    eye = eye_uv(model.mean, model.eye)
    eye[:, 0] += model.mean[:, 0] > 0  # the patches lie side by side
    openness = 0.30 + 0.70 * np.clip((model.openness - 0.08) / 0.44, 0, 1)
    uv = skin_uv(model.mean).astype(np.float32)
    return uv, eye.astype(np.float32), model.masks["inside-mouth"], openness.astype(np.float32)


def _maps(model, person, scene, points, attributes, size, finer, layers):
    face, weights, depth = rasterize_mesh(project(points, size, finer), model.triangles, size)
    seen = face >= 0
    grid = scene.background[0]
    albedo = cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    normal = np.zeros((size, size, 3), np.float32) + np.float32([0, 0, -1])
    gloss, hair = np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    triangles = face[seen]
    colour, bent, height, hairy = textured(
        triangles, weights[seen], model.triangles, model.part, attributes,
        layers[_level(size, len(layers[0]))], person.skin.eyes,
    )  # fmt: skip
    albedo[seen], normal[seen], hair[seen] = colour, bent, hairy
    gloss[seen] = model.part[model.triangles[triangles, 0]] == 1
    depth = np.where(seen, depth, FAR)
    depth[seen] += np.float32(MM) * height * bent[:, 2]
    depth = np.where(seen, np.minimum(depth, FAR - np.float32(1e-3)), FAR)
    return dict(depth=depth, albedo=albedo, normal=normal, seen=seen, eye=gloss, hair=hair)


def _level(size, side):
    """Which of the layers has texels about as large as pixels of a picture `size` px wide."""
    return int(np.clip(round(np.log2(side / (0.9 * size))), 0, 2))


def _lit(maps, light, gloss):
    """(H, W, 3): Lambert's shading and highlights, the background as it is."""
    facing = (maps["normal"] @ light[2:]).clip(0)
    half = light[2:] + np.float32([0, 0, -1])
    across = (maps["normal"] @ (half / np.linalg.norm(half))).clip(0)
    eye = maps["eye"]
    shine = light[1] * (
        gloss * (1 - eye) * (1 - maps["hair"]) * across**SHARPNESS
        + EYE_GLOSS * eye * across**EYE_SHARPNESS
    )
    shading = light[0] + light[1] * facing
    seen = maps["seen"]
    shade = np.where(seen, shading, 1)[..., None]
    return maps["albedo"] * shade + np.where(seen, shine, 0)[..., None]


def _shell(model, shell, points, normals, size, light):
    size = size * SUPERSAMPLING
    outer = points + SCALE * shell.thickness[:, None] * normals
    triangles = _outer_skin()
    face, weights, depth = rasterize_mesh(project(outer, size, SUPERSAMPLING), triangles, size)
    seen = face >= 0
    columns = np.column_stack([normals, skin_uv(model.mean)]).astype(np.float32)
    values = interpolate(face[seen], weights[seen], triangles, columns)
    at = np.zeros((size, size, 2), np.float32)
    at[seen] = values[:, 3:] * len(shell.cover) - 0.5
    texture = np.dstack([shell.colour, shell.cover]).astype(np.float32)
    found = cv2.remap(texture, at[..., 0], at[..., 1], cv2.INTER_LINEAR)[seen]
    shading = light[0] + light[1] * (values[:, :3] @ light[2:]).clip(0)
    colour, opacity = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    colour[seen], opacity[seen] = found[:, :3] * shading[:, None], found[:, 3]
    return colour, opacity, depth


def _part(part: Part, turn, scene, size):
    size = size * SUPERSAMPLING
    points = (part.points - TURNING_POINT) @ turn + TURNING_POINT + scene.view[3:]
    points = points.astype(np.float32)
    face, weights, depth = rasterize_mesh(project(points, size, SUPERSAMPLING), part.triangles, size)
    seen = face >= 0
    normals = vertex_normals(points, part.triangles)
    bent = interpolate(face[seen], weights[seen], part.triangles, normals)
    bent = bent / (np.linalg.norm(bent, axis=1, keepdims=True) + 1e-9)
    bent = bent * np.where(bent[:, 2:] > 0, -1, 1)
    light = scene.light
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
    """(T, 3): triangles that shells lie on: skin without ears and mouth, and without the seam."""
    model = HeadModel.load()
    flat = (model.part == 0) & (model.masks["inside-mouth"] < 0.5) & (model.masks["ears"] < 0.3)
    across = np.ptp(skin_uv(model.mean)[model.triangles, 0], axis=1)
    return np.ascontiguousarray(model.triangles[flat[model.triangles].all(1) & (across < 0.3)])
