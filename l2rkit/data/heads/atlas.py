"""The texture coordinates of the head model, and the mean head's attributes per texel.

A texture has `TEXTURE` x `TEXTURE` px. Columns are the angle about the head's vertical axis, rows
the height; both are stretched so that the face gets most pixels. Below the skin, an atlas has a
strip with frontal views of the two eyeballs, `EYE` px each, the picture's left one first.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from l2rkit.data.heads.head_model import HeadModel
from l2rkit.render.mesh_raster import interpolate, rasterize_mesh, vertex_normals

LANDMARKS = Path(__file__).with_name("head_landmarks.npz")
TEXTURE, EYE = 320, 48  # px
AXIS_Z, MIDDLE_Y, HALF_HEIGHT = 0.55, 0.10, 1.7  # dm on the mean head
STRETCH_ACROSS, STRETCH_DOWN = 2.0, 1.2  # 1 + this: magnification of the face's middle
EYE_REACH = 1.1  # half the side of an eye's patch, in radii of the eyeball


def skin_uv(points: np.ndarray) -> np.ndarray:
    """(..., 2): column and row in [0, 1] of the texture, for mean-head points (..., 3) in dm."""
    angle = np.arctan2(points[..., 0], AXIS_Z - points[..., 2]) / np.pi
    height = (points[..., 1] - MIDDLE_Y) / HALF_HEIGHT
    return 0.5 + 0.5 * np.stack(
        [_stretched(angle, STRETCH_ACROSS), _stretched(height, STRETCH_DOWN)], -1
    )


def eye_uv(points: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """(..., 2): column and row in [0, 1] of an eye's patch, for mean-head points (..., 3) in dm.

    eye (4,): `HeadModel.eye`, the right one in the picture; the left one is its mirror image.
    """
    centre = np.stack([np.sign(points[..., 0]) * eye[0], np.full(points.shape[:-1], eye[1])], -1)
    return 0.5 + 0.5 * (points[..., :2] - centre) / (EYE_REACH * eye[3])


def landmark_points(model: HeadModel, vertices: np.ndarray) -> np.ndarray:
    """(468, 3): FaceMesh's landmarks on `vertices` (V, 3) of the model."""
    with np.load(LANDMARKS) as file:
        triangle, weights = file["triangle"], file["weights"]
    return (vertices[model.triangles[triangle]] * weights[..., None]).sum(1)


@dataclass(frozen=True)
class Texels:
    """The mean head's attributes at each texel of the skin; T is TEXTURE."""

    rest: np.ndarray  # (T, T, 3) dm on the mean head
    normal: np.ndarray  # (T, T, 3) unit, outward
    openness: np.ndarray  # (T, T)
    masks: dict[str, np.ndarray]  # (T, T) each, the model's
    seen: np.ndarray  # (T, T) bool: skin; other texels have the nearest skin's values


@lru_cache(maxsize=1)
def texels() -> Texels:
    """The texels of the mean head's outermost skin."""
    model = HeadModel.load()
    flat = (model.part == 0) & (model.masks["inside-mouth"] < 0.5)
    uv = skin_uv(model.mean)
    across = np.ptp(uv[model.triangles, 0], axis=1)
    triangles = model.triangles[flat[model.triangles].all(1) & (across < 0.3)]
    radius = np.hypot(model.mean[:, 0], model.mean[:, 2] - AXIS_Z)
    depth = 1000 - radius  # large, against foreshortening; the outermost skin wins
    pixels = np.column_stack([uv * TEXTURE - 0.5, depth]).astype(np.float64)
    face, weights, _ = rasterize_mesh(pixels, triangles, TEXTURE)
    seen = face >= 0
    normals = vertex_normals(model.mean.astype(np.float32), model.triangles)
    names = list(model.masks)
    columns = [model.mean, normals, model.openness, *(model.masks[name] for name in names)]
    values = interpolate(
        face[seen], weights[seen], triangles, np.column_stack(columns).astype(np.float32)
    )
    whole = np.zeros((TEXTURE, TEXTURE, values.shape[1]), np.float32)
    whole[seen] = values
    nearest = _nearest_known(seen)
    whole = whole[nearest]
    return Texels(
        rest=whole[..., :3],
        normal=whole[..., 3:6] / np.linalg.norm(whole[..., 3:6], axis=-1, keepdims=True),
        openness=whole[..., 6],
        masks={name: whole[..., 7 + i] for i, name in enumerate(names)},
        seen=seen,
    )


def eye_texels(model: HeadModel) -> np.ndarray:
    """(EYE, 2 EYE, 3): dm on the mean head of the eyeballs' front, the left one first."""
    across = (np.arange(EYE) + 0.5) / EYE * 2 - 1
    x, y = np.meshgrid(across, across)
    x, y = (EYE_REACH * model.eye[3] * each for each in (x, y))
    z = model.eye[2] - np.sqrt(np.maximum(model.eye[3] ** 2 - x**2 - y**2, 0))
    patches = [np.stack([x + s * model.eye[0], y + model.eye[1], z], -1) for s in (-1, 1)]
    return np.concatenate(patches, 1).astype(np.float32)


def filled(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(H, W, C): the picture where known (H, W) is 1, elsewhere filled smoothly (pull-push)."""
    height, width = known.shape
    if min(height, width) <= 2:
        total = known.sum()
        mean = (picture * known[..., None]).sum((0, 1)) / max(total, 1e-6)
        return np.where(known[..., None] > 0, picture, mean).astype(np.float32)
    half = (max(1, width // 2), max(1, height // 2))
    share = cv2.resize(known, half, interpolation=cv2.INTER_AREA)
    small = cv2.resize(picture * known[..., None], half, interpolation=cv2.INTER_AREA)
    small = small / np.maximum(share, 1e-6)[..., None]
    coarse = filled(small, np.minimum(share * 2, 1))
    large = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return large + (picture - large) * known[..., None]


def _stretched(value, amount):
    return value * (1 + amount) / (1 + amount * np.abs(value))


def _nearest_known(known):
    """Row and column indices, (H, W) each, of the nearest known pixel."""
    labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    rows, columns = np.nonzero(known)
    index = np.zeros(labels.max() + 1, int)
    index[labels[rows, columns]] = np.arange(len(rows))
    at = index[labels]
    return rows[at], columns[at]
