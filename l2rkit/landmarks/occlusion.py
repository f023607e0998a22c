"""Detects occluded faces by their grey values. Ours.

The grey values at the 468 landmarks are compared with the mean of training faces, with their robust
fit by principal components, and with their mirror image. These differences and FaceMesh's presence
are the features of a logistic regression. `tools/builders/build_occlusion.py` fits it on training
photos with and without painted occluders.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from .points import MIRRORED

SIZE = 128  # px of the aligned crops
BLUR = 2.0  # px of the crops; finer detail distinguishes people
LEAST_SPREAD = 4.0  # of lightness, 0 to 255; keeps noise of flat pictures small
FLAT = 4  # range of values, of 255, below which a crop shows no face
MOST = 6.0  # spreads; larger values are clipped
ROUNDS = 5  # of reweighting in the robust fit
OUTLYING = 2.0  # residual, in deviations, at which a point has weight 1/4
FILE = Path(__file__).with_name("occlusion.npz")


def occlusion(
    crops: Sequence[np.ndarray], landmarks: np.ndarray, presence: np.ndarray
) -> np.ndarray:
    """(B,): log odds, up to a constant, that something covers the face.

    crops: aligned, (128, 128, 3) uint8 RGB; landmarks (B, 468, 3) px; presence (B,) of `FaceMesh`.
    They are high for photographic negatives, too, and infinite for crops of one colour. Limits are
    in `l2rkit.data.quality`.
    """
    known = _fitted()
    terms = features(greys(crops, landmarks), presence, known)
    flat = [np.ptp(crop) < FLAT for crop in crops]
    return np.where(flat, np.inf, terms @ known["weights"] + known["bias"])


def greys(crops: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
    """(B, 468): lightness of crops at landmarks (B, 468, 3), minus its median, over its spread."""
    found = []
    for crop, points in zip(crops, np.float32(landmarks)):
        light = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)
        light = cv2.GaussianBlur(light, (0, 0), BLUR)
        x, y = points[None, :, 0], points[None, :, 1]
        found.append(cv2.remap(light, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0])
    grey = np.array(found, np.float64).reshape(len(found), -1)
    grey -= np.median(grey, 1, keepdims=True)
    spread = 1.48 * np.median(np.abs(grey), 1, keepdims=True)
    return (grey / np.maximum(spread, LEAST_SPREAD)).clip(-MOST, MOST)


def features(grey: np.ndarray, presence: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    """(B, 5 * 468 + 1): the regression's features of greys (B, 468) and presence (B,)."""
    beside = (grey - known["mean"]) / known["spread"]
    left = residual(grey - known["mean"], known)
    turned = np.abs(grey - grey[:, MIRRORED])
    parts = [beside, np.abs(beside).clip(0, 4), turned, np.abs(left).clip(0, 5), left.clip(-5, 5)]
    return np.hstack([*parts, 0.3 * np.reshape(presence, (-1, 1))])


def residual(grey: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    """(B, 468): residuals of greys (B, 468) from their fit by components, in deviations.

    Iteratively reweighted least squares with Student's t weights, regularised to the mean face.
    """
    axes, rest = known["components"], known["rest"]
    held = np.diag(np.mean(rest) ** 2 / known["component_spread"] ** 2)
    counts = np.ones_like(grey)
    for _ in range(ROUNDS):
        squares = np.einsum("bp,kp,lp->bkl", counts, axes, axes, optimize=True) + held
        projected = np.einsum("bp,kp,bp->bk", counts, axes, grey, optimize=True)
        left = (grey - np.linalg.solve(squares, projected[..., None])[..., 0] @ axes) / rest
        counts = 1 / (1 + (left / OUTLYING) ** 2) ** 2
    return left.clip(-MOST, MOST)


@lru_cache(maxsize=1)
def _fitted() -> dict[str, np.ndarray]:
    with np.load(FILE) as file:
        return {name: file[name].astype(np.float64) for name in file.files}
