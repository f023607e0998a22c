"""Renders a head of version 1: image, depth, albedo and normals."""

import cv2
import numpy as np

from l2rkit.data.heads.albedo import Surface, hair_cover, paint
from l2rkit.data.heads.capture import Capture, rotation
from l2rkit.data.heads.head_model import SCALE, HeadModel, to_scene
from l2rkit.data.heads.person import Person
from l2rkit.render.mesh_raster import interpolate, rasterize_mesh, vertex_normals

TURNING_POINT = np.array([0, 0, 1], np.float32)  # the pivot of views
BACKGROUND_DEPTH = np.float32(1.2)
TAN_HALF_VIEW = np.tan(np.radians(5))  # half of the 10 degree field of view
SUPERSAMPLING = 2


def person_head(model: HeadModel, person: Person) -> np.ndarray:
    """(V, 3) scene units: the person's neutral head, including the volume of hair.

    The middle of the face is placed at the mean head's, as in an aligned photo.
    """
    head = model.vertices(shape=person.shape, macro=person.macro, weight=person.weight)
    face = model.masks["face"] / model.masks["face"].sum()
    head = head + face @ (to_scene(model.mean) - head)
    standing = person.volume * (1 - person.baldness)
    cover = hair_cover(model.mean, person) * (1 - model.masks["ears"]) * (model.part == 0)
    high = np.clip((0.2 - model.mean[:, 1]) / 0.6, 0, 1)  # 0 at the nape
    normals = vertex_normals(head, model.triangles)
    return head + SCALE * (standing * cover * high)[:, None].astype(np.float32) * normals


def render_head(model: HeadModel, person: Person, capture: Capture, size: int, head=None) -> dict:
    """{img (S,S,3) in [0,1], depth (S,S), albedo (S,S,3), normal (S,S,3)}, all float32.

    The image is supersampled; the other maps are those of pixel centres. On the background depth is
    BACKGROUND_DEPTH, the normal is (0, 0, -1) and the albedo is the background. `head` is the
    result of `person_head`, if known.
    """
    head = person_head(model, person) if head is None else head
    head = head + SCALE * model.offsets("action", capture.action)
    points = moved(head, capture)
    normals = vertex_normals(points, model.triangles)
    maps = _maps(model, person, capture, points, normals, size, 1)
    fine = _maps(model, person, capture, points, normals, size * SUPERSAMPLING, SUPERSAMPLING)
    image = shade(fine["albedo"], fine["normal"], capture.light, fine["depth"] < BACKGROUND_DEPTH)
    return dict(img=cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), **maps)


def moved(points: np.ndarray, capture: Capture) -> np.ndarray:
    """(V, 3): points (V, 3) in scene units, turned about TURNING_POINT and shifted by the view."""
    turned = (points - TURNING_POINT) @ rotation(capture.view[:3]).T.astype(np.float32)
    return (turned + TURNING_POINT + capture.view[3:]).astype(np.float32)


def shade(albedo: np.ndarray, normal: np.ndarray, light: np.ndarray, mask: np.ndarray):
    """(H, W, 3): Lambertian shading, albedo (ambient + diffuse max(0, n.l)) inside the mask."""
    shading = light[0] + light[1] * (normal @ light[2:]).clip(0)
    return (albedo * np.where(mask, shading, 1)[..., None]).clip(0, 1)


def project(points: np.ndarray, size: int, finer: int = 1) -> np.ndarray:
    """(V, 3): u px, v px and z of points (V, 3) in an image `size` px wide.

    finer: supersampling of the image; `size` counts the finer pixels.
    """
    width = size // finer
    focal = finer * (width - 1) / 2 / TAN_HALF_VIEW
    u, v = (focal * points[:, :2] / points[:, 2:]).T + (size - 1) / 2
    return np.stack([u, v, points[:, 2]], 1)


def enlarge_background(grids: tuple[np.ndarray, ...], size: int) -> np.ndarray:
    """(size, size, 3): smooth colours in [0, 1], from coarse grids (N, N, 3)."""
    big = [cv2.resize(g, (size, size), interpolation=cv2.INTER_CUBIC) for g in grids]
    mixed = 0.7 * big[0] + 0.3 * big[1]
    grey = mixed.mean(2, keepdims=True)
    return (grey + 0.6 * (mixed - grey)).clip(0, 1)


def _maps(model, person, capture, points, normals, size, finer):
    face, weights, depth = rasterize_mesh(project(points, size, finer), model.triangles, size)
    seen = face >= 0
    albedo = enlarge_background(capture.background, size)
    normal = np.zeros((size, size, 3), np.float32) + np.float32([0, 0, -1])
    names = ("lips", "eyelids", "ears", "inside-mouth")
    columns = [model.mean, normals, model.openness, *(model.masks[name] for name in names)]
    values = interpolate(
        face[seen], weights[seen], model.triangles, np.column_stack(columns).astype(np.float32)
    )
    part = model.part[model.triangles[face[seen], 0]]
    albedo[seen] = paint(
        Surface(values[:, :3].copy(), part, *values[:, 6:].T.copy()), person, model
    )
    normal[seen] = _facing(values[:, 3:6])
    depth = np.where(seen, np.minimum(depth, BACKGROUND_DEPTH - np.float32(1e-3)), BACKGROUND_DEPTH)
    return dict(depth=depth, albedo=albedo, normal=normal)


def _facing(normals):
    """Unit normals facing the camera; interpolated ones at the contour may point away."""
    normals = np.column_stack([normals[:, :2], np.minimum(normals[:, 2], -1e-3)])
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)
