"""The 468 landmarks: mean face, triangles, and named sets of points.

`tools/builders/build_mean_face.py` computed all of it from landmarks of training photos. Left and
right are the picture's: in a frontal photo, `RIGHT` is the person's left side.
"""

from pathlib import Path

import numpy as np

_FOUND = dict(np.load(Path(__file__).with_name("mean_face.npz")))
POINTS = 468

# (468, 3): the mean canonical face in units of depth, in `l2rkit.structures`' frame; symmetric
MEAN_FACE = _FOUND["points"]
MIRRORED = _FOUND["mirrored"]  # (468,): each point's partner in the mirror; itself on the midline
TRIANGLES = _FOUND["triangles"]  # (T, 3): the surface, with eyes and mouth filled
NOSE_TIP = int(_FOUND["nose_tip"])
OVAL = _FOUND["oval"]  # (K,): the outline, counter-clockwise as seen, from the chin
LEFT_EYE, RIGHT_EYE = _FOUND["left_eye"], _FOUND["right_eye"]  # the openings, as rings
MOUTH = _FOUND["mouth"]  # the line between the lips, as a ring
LIPS = _FOUND["lips"]  # all points of both lips
LEFT_CHEEK, RIGHT_CHEEK = _FOUND["left_cheek"], _FOUND["right_cheek"]


def _end(ring: np.ndarray, sign: int) -> int:
    """The leftmost (-1) or rightmost (1) point of a ring."""
    return int(ring[(sign * MEAN_FACE[ring, 0]).argmax()])


LEFT_EYE_OUTER, LEFT_EYE_INNER = _end(LEFT_EYE, -1), _end(LEFT_EYE, 1)
RIGHT_EYE_OUTER, RIGHT_EYE_INNER = _end(RIGHT_EYE, 1), _end(RIGHT_EYE, -1)
LEFT_MOUTH, RIGHT_MOUTH = _end(MOUTH, -1), _end(MOUTH, 1)


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """(..., 5, 2): left and right eye, nose tip, left and right mouth corner.

    landmarks (..., 468, 3). An eye is the middle of its two corners.
    """
    at = landmarks[..., :2]
    eyes = [
        (at[..., outer, :] + at[..., inner, :]) / 2
        for outer, inner in (
            (LEFT_EYE_OUTER, LEFT_EYE_INNER),
            (RIGHT_EYE_OUTER, RIGHT_EYE_INNER),
        )
    ]
    others = [at[..., point, :] for point in (NOSE_TIP, LEFT_MOUTH, RIGHT_MOUTH)]
    return np.stack([*eyes, *others], -2)
