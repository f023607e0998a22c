"""Crops of rendered heads, placed as the aligner places photos of people."""

import numpy as np

from l2rkit.data.crops import TEMPLATE, fit_similarity
from l2rkit.data.heads.atlas import landmark_points
from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.heads.render import project
from l2rkit.landmarks.points import five_points


def framed(
    points: np.ndarray, size: int, finer: int = 1, frame: np.ndarray | None = None
) -> np.ndarray:
    """(V, 3): u px, v px and z of points (V, 3), as by `project`, in a crop of the picture.

    frame (2, 3): similarity from fractions of the picture to fractions of the crop, whose outer
    edges are 0 and 1; None is the whole picture. What it shows need not lie in the picture. It
    changes neither z nor normals.
    """
    pixels = project(points, size, finer)
    if frame is not None:
        there = (pixels[:, :2] + 0.5) / size
        pixels[:, :2] = (there @ frame[:, :2].T + frame[:, 2]) * size - 0.5
    return pixels


def aligned_frame(model: HeadModel, points: np.ndarray, size: int) -> np.ndarray:
    """(2, 3): the frame in which a head with vertices `points` (V, 3) is placed like photos.

    Eyes, nose tip and mouth corners lie as close to `TEMPLATE` as a similarity can bring them, as
    in crops by `FaceAligner`.
    """
    landmarks = landmark_points(model, points)
    return fit_similarity((five_points(project(landmarks, size)) + 0.5) / size, TEMPLATE)
