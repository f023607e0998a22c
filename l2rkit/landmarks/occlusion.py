"""Whether something hides a face: how its grey differs from that of faces. Ours.

The grey at the 468 landmarks is compared with the mean of training faces, with the few principal
components that explain it best (robustly: points that do not fit are left out), and with its own
mirror image. One logistic regression over these and over FaceMesh's presence, fitted by
`tools/builders/build_occlusion.py` on training photos, plain and with things painted on them.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from .points import MIRRORED

SIZE = 128  # px of the aligned crops
BLUR = 2.0  # px of those; what is finer tells people apart
LEAST_SPREAD = 4.0  # of lightness, 0 to 255; a flat picture is not enlarged to noise
FLAT = 4  # levels of 255, from the darkest to the brightest; in fewer no face is seen
MOST = 6.0  # spreads, beyond which a point counts no more
ROUNDS = 5  # of leaving out what does not fit
OUTLYING = 2.0  # residual deviations at which a point counts a quarter
FILE = Path(__file__).with_name("occlusion.npz")


def occlusion(
    crops: Sequence[np.ndarray], landmarks: np.ndarray, presence: np.ndarray
) -> np.ndarray:
    """(B,): log odds that something hides the face, up to a constant; see `l2rkit.data.quality`.

    crops: aligned, (128, 128, 3) uint8 RGB; landmarks (B, 468, 3) px; presence (B,) of `FaceMesh`.
    A negative is unlike a face, too, and a picture of one colour shows none: infinite.
    """
    known = _fitted()
    terms = features(greys(crops, landmarks), presence, known)
    flat = [np.ptp(crop) < FLAT for crop in crops]
    return np.where(flat, np.inf, terms @ known["weights"] + known["bias"])


def greys(crops: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
    """(B, 468): lightness of crops at landmarks (B, 468, 3), less its median, in its spreads."""
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
    """(B, 5 * 468 + 1): what the regression sees of greys (B, 468) and presence (B,)."""
    beside = (grey - known["mean"]) / known["spread"]
    left = residual(grey - known["mean"], known)
    turned = np.abs(grey - grey[:, MIRRORED])
    parts = [beside, np.abs(beside).clip(0, 4), turned, np.abs(left).clip(0, 5), left.clip(-5, 5)]
    return np.hstack([*parts, 0.3 * np.reshape(presence, (-1, 1))])


def residual(grey: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    """(B, 468): what principal components leave of greys (B, 468), in deviations of that.

    Iterated least squares with the weights of a Student's t, held towards the mean face.
    """
    axes, rest = known["components"], known["rest"]
    held = np.diag(np.mean(rest) ** 2 / known["component_spread"] ** 2)
    counts = np.ones_like(grey)
    for _ in range(ROUNDS):
        squares = np.einsum("bp,kp,lp->bkl", counts, axes, axes, optimize=True) + held
        wanted = np.einsum("bp,kp,bp->bk", counts, axes, grey, optimize=True)
        left = (grey - np.linalg.solve(squares, wanted[..., None])[..., 0] @ axes) / rest
        counts = 1 / (1 + (left / OUTLYING) ** 2) ** 2
    return left.clip(-MOST, MOST)


@lru_cache(maxsize=1)
def _fitted() -> dict[str, np.ndarray]:
    with np.load(FILE) as file:
        return {name: file[name].astype(np.float64) for name in file.files}
