"""Flags that name possible causes of a poor reconstruction, and the numbers behind them.

Flags are information only. Their limits were chosen on training and validation people of openfaces,
not on test people. `tools/analysis/quality.py` measures how often each is raised, see
docs/quality.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import torch

from l2rkit.data.crops import warp
from l2rkit.landmarks.face_mesh import FaceMesh
from l2rkit.landmarks.occlusion import SIZE, occlusion
from l2rkit.landmarks.pose import canonical_points

LOW_SCORE = 0.75  # of the detector; below it `FaceAligner` also tries rotated photos
# px. Landmarks of faces 16 px wide have errors of 3.8 % of the eyes' distance. At 12 px they have
# 5.0 %, as at the level `severe` (17 shrunken portraits of `val`).
SMALLEST = 16.0
# At larger angles the photo shows less than half of the farther half of the mean face
# (`l2rkit.render.unwrap.visibility`: 0.55 at 40 degrees, 0.44 at 45).
PROFILE_DEG = 42.0
CUT = 0.05  # share of the face's outline that lies outside of the photo
# Log odds. Of 60 people of `val` none exceeds it in the original or at `mild`, 10 % do at `severe`,
# and 97 % with painted sunglasses.
HIDDEN = 1.0


@dataclass(frozen=True)
class Quality:
    """The quality of one face in a photo.

    score: of the detector, 0..1, NaN without detection; width: of the landmarks, in px of the
    photo; outside: share of the face's outline outside the photo; yaw_deg: positive turns the nose
    to the picture's right; hidden: log odds that something covers the face.
    """

    score: float
    width: float
    outside: float
    yaw_deg: float
    hidden: float

    @property
    def flags(self) -> tuple[str, ...]:
        """The names of the raised `FLAGS`, in their order; none for a good photo."""
        return tuple(name for name, holds in FLAGS.items() if holds(self))


FLAGS: dict[str, Callable[[Quality], bool]] = {
    "occluded": lambda face: face.hidden > HIDDEN,
    "cut": lambda face: face.outside > CUT,
    "too small": lambda face: face.width < SMALLEST,
    "profile": lambda face: abs(face.yaw_deg) > PROFILE_DEG,
    "low score": lambda face: face.score < LOW_SCORE,
}


def quality(
    photo: np.ndarray, matrix: np.ndarray, size: int, score: float = float("nan")
) -> Quality:
    """The quality of the face of a photo (H, W, 3) uint8 RGB.

    matrix (2, 3): from pixels of the photo to those of the aligned crop of `size` px.
    """
    to_crop = resized_matrix(matrix, SIZE / size)
    crop, find = warp(photo, to_crop, SIZE), _find()
    landmarks = find([crop])
    hidden = occlusion([crop], landmarks, find.presence([crop], landmarks))
    view, _ = canonical_points(torch.from_numpy(landmarks).double(), SIZE)
    across = float(np.ptp(landmarks[0, :, 0]))
    return Quality(
        score,
        across / float(np.hypot(*to_crop[:, 0])),
        outside(landmarks[0, :, :2], to_crop, photo.shape),
        float(view[0, 1].rad2deg()),
        float(hidden[0]),
    )


def outside(points: np.ndarray, matrix: np.ndarray, shape: Sequence[int]) -> float:
    """The share of the convex outline of points (N, 2), px of a crop, outside the photo.

    matrix (2, 3): from pixels of the photo (H, W, ...) to those of the crop.
    """
    right, below = shape[1] - 0.5, shape[0] - 0.5
    photo = np.array([[-0.5, -0.5], [right, -0.5], [right, below], [-0.5, below]])
    frame = np.float32(photo @ matrix[:, :2].T + matrix[:, 2])
    outline = cv2.convexHull(np.ascontiguousarray(points, np.float32))
    area = cv2.contourArea(outline)
    if area < 1:
        return 0.0
    return float(np.clip(1 - cv2.intersectConvexConvex(outline, frame)[0] / area, 0, 1))


def resized_matrix(matrix: np.ndarray, scale: float) -> np.ndarray:
    """(2, 3): the matrix to the pixels of the same crop resized by `scale`."""
    moved = np.array(matrix, dtype=np.float64) * scale
    moved[:, 2] += 0.5 * scale - 0.5
    return moved


@cache
def _find() -> FaceMesh:
    return FaceMesh(rounds=2, mirrored=False)
