"""From a photo to a square in which the face stands as in the training images.

Steps: find faces at several scales, look at each one again from near and mirrored for steadier
landmarks, fit a similarity (turn, scale, shift) that takes them to ``TEMPLATE``, and warp.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from l2rkit.data.centerface import FoundFace, distinct, find_faces
from l2rkit.data.photo import PhotoError

# The eyes, nose tip and mouth corners as fractions of the crop (0 and 1 are the outer edges of the
# first and last pixel): brows to chin and nearly ear to ear, much as Unsup3D's demo crops faces.
# Mean of the frontal synthetic heads, made symmetric, with the proportions of real photos.
TEMPLATE = np.array([[0.31, 0.385], [0.69, 0.385], [0.5, 0.6], [0.335, 0.755], [0.665, 0.755]])

# (longest side in px, grey border on each side as a share of it, largest enlargement): the whole
# scene; a face that fills the picture, which the network only sees within a border
LOOKS = ((640, 0.0, 1), (128, 0.5, 8))
LAST_LOOKS = ((1600, 0.0, 2), (256, 0.5, 8))  # tiny and poor faces, when the first looks find none
CLOSE_LOOKS = (48, 100)  # px; the face's width when it is looked at again
CLOSE_FIELD = 2.0  # how many face widths a closer look takes in
MIRRORED = [1, 0, 2, 4, 3]  # each landmark's partner in the mirror
GREY = (128, 128, 128)


class NoFaceError(PhotoError):
    """No face was found in a photo; the message is one line."""


class FaceAligner:
    """Photos in, face crops out.

    size: px of a crop's side. threshold: a face's least score. template: (5, 2) where the
    landmarks go, see ``TEMPLATE``.

    >>> crop, matrix = FaceAligner(64).crop(photo)          # the largest face
    >>> crops = [FaceAligner(64).crop(photo, face) for face in FaceAligner(64).faces(photo)]
    """

    def __init__(
        self, size: int = 64, threshold: float = 0.5, template: Sequence | np.ndarray = TEMPLATE
    ):
        self.size = size
        self.threshold = threshold
        self.template = np.asarray(template, dtype=np.float64)
        if self.template.shape != (5, 2):
            raise ValueError(f"FaceAligner wants a (5, 2) template, got {self.template.shape}")

    def faces(self, photo: np.ndarray, largest: bool = False, name="") -> list[FoundFace]:
        """The faces of a (H, W, 3) uint8 RGB photo, the largest first, or only that one.

        Raises NoFaceError, which calls the photo ``name``.
        """
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
            got = f"{photo.dtype} {photo.shape}"
            raise ValueError(f"FaceAligner wants a (H, W, 3) uint8 photo, got {got}")
        found = look(photo, LOOKS, self.threshold) or look(photo, LAST_LOOKS, self.threshold)
        if not found:
            raise NoFaceError(name or "array", f"no face found (threshold {self.threshold})")
        found = sorted(found, key=lambda face: -face.area)
        return [closer(photo, face) for face in found[: 1 if largest else None]]

    def matrix(self, face: FoundFace) -> np.ndarray:
        """(2, 3) from photo pixels to crop pixels, both with pixel centres at integers."""
        return fit_similarity(face.landmarks, self.template * self.size - 0.5)

    def crop(self, photo: np.ndarray, face: FoundFace | None = None, name="") -> tuple:
        """The crop (size, size, 3) uint8 and its ``matrix``, of a face or of the largest one."""
        face = face or self.faces(photo, largest=True, name=name)[0]
        matrix = self.matrix(face)
        return warp(photo, matrix, self.size), matrix


def look(photo: np.ndarray, looks: Sequence, threshold: float) -> list[FoundFace]:
    """The distinct faces found at several scales, in pixels of the (H, W, 3) photo."""
    faces = []
    for longest, border, enlarged in looks:
        scale = min(longest / max(photo.shape[:2]), enlarged)
        width, height = (max(1, round(side * scale)) for side in photo.shape[1::-1])
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.resize(photo, (width, height), interpolation=method)
        pad = round(border * longest)
        seen = cv2.copyMakeBorder(seen, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=GREY)
        scales = np.array(photo.shape[1::-1]) / (width, height)
        faces += [
            face.moved(scales, (0.5 - pad) * scales - 0.5) for face in find_faces(seen, threshold)
        ]
    return distinct(faces)


def closer(photo: np.ndarray, face: FoundFace) -> FoundFace:
    """The face with landmarks averaged over closer looks, each also in the mirror.

    This takes about a fifth off the landmarks' error, and a mirrored photo gets the mirrored crop.
    """
    points = []
    middle, width = face.box.reshape(2, 2).mean(0), float(np.diff(face.box[::2])[0])
    for wanted in CLOSE_LOOKS:
        scale, size = wanted / width, round(CLOSE_FIELD * wanted)
        matrix = np.column_stack([np.eye(2) * scale, (size - 1) / 2 - scale * middle])
        seen = warp(photo, matrix, size)
        for mirrored in (False, True):
            found = find_faces(np.ascontiguousarray(seen[:, ::-1]) if mirrored else seen, 0.2)
            found = [each for each in found if np.all(abs(each.landmarks - size / 2) < size / 2)]
            if not found:
                continue
            there = found[0].landmarks
            if mirrored:
                there = (there * [-1, 1] + [size - 1, 0])[MIRRORED]
            points.append((there - matrix[:, 2]) / scale)
    return replace(face, landmarks=np.mean(points, axis=0)) if points else face


def fit_similarity(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The (2, 3) turn, scale and shift that takes (N, 2) points nearest to the targets.

    Least squares. As complex numbers the similarity is q = a p + b, and its centred solution is
    a = sum(conj(p) q) / sum(|p|^2); it never mirrors.
    """
    p, q = (np.asarray(each, dtype=np.float64) @ [1, 1j] for each in (points, targets))
    centred = p - p.mean()
    spread = float(np.sum(abs(centred) ** 2))
    if spread < 1e-12:
        raise ValueError(f"fit_similarity wants points that differ, got {np.asarray(points)[0]}")
    a = np.sum(centred.conj() * (q - q.mean())) / spread
    b = q.mean() - a * p.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def warp(photo: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """The (size, size, 3) crop of a photo by its (2, 3) matrix; the photo's edge is continued.

    When shrinking, the part that is needed is first brought to the crop's scale by area averages,
    so that nothing aliases.
    """
    matrix = np.array(matrix, dtype=np.float64)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    part, low = _needed(photo, matrix, size)
    matrix[:, 2] += matrix[:, :2] @ low
    if scale < 1:
        before = np.array(part.shape[1::-1])
        after = np.maximum(np.round(before * scale), 1).astype(int)
        part = cv2.resize(part, after.tolist(), interpolation=cv2.INTER_AREA)
        step = before / after  # px of the photo per px of the reduced part
        matrix[:, 2] += matrix[:, :2] @ (0.5 * step - 0.5)
        matrix[:, :2] *= step
    return cv2.warpAffine(
        part, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def _needed(photo, matrix, size):
    """The part of the photo that a crop touches, with a margin, and its top left corner."""
    inverse = cv2.invertAffineTransform(np.asarray(matrix, dtype=np.float64))
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) @ inverse[:, :2].T
    corners += inverse[:, 2]
    margin = 4 + 2 * np.ptp(corners, axis=0).max() / size
    height, width = photo.shape[:2]
    limit = np.array([width, height]) - 1
    low = np.clip(np.floor(corners.min(0) - margin), 0, limit).astype(int)
    high = np.clip(np.ceil(corners.max(0) + margin), 0, limit).astype(int)
    return photo[low[1] : high[1] + 1, low[0] : high[0] + 1], low
