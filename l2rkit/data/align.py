"""From a photo to a square in which the face stands as in the training images.

Steps: find faces at several scales, and in other turns of the photo where the detector is not sure;
find the landmarks of each again, from near, upright and mirrored (`l2rkit.data.closer`); fit a
similarity (turn, scale, shift) that takes them to ``TEMPLATE``, and warp.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from l2rkit.data.centerface import FoundFace, distinct, find_faces
from l2rkit.data.closer import closer_upright
from l2rkit.data.crops import TEMPLATE, fit_similarity, warp
from l2rkit.data.photo import PhotoError

# (longest side in px, grey border on each side as a share of it, largest enlargement): the whole
# scene; a face that fills the picture, which the network only sees within a border
LOOKS = ((640, 0.0, 1), (128, 0.5, 8))
LAST_LOOKS = ((1600, 0.0, 2), (256, 0.5, 8))  # tiny and poor faces, when the first looks find none
TILE, OVERLAP = 1600, 320  # px, of looks at a part of a photo; larger faces are seen in others
PART = 0.6  # of a face's area within a larger face, from which on it is a part of that
UNSURE = 0.75  # the score below which the photo is turned, too
GREY = (128, 128, 128)


class NoFaceError(PhotoError):
    """No face was found in a photo; the message is one line."""


class FaceAligner:
    """Photos in, face crops out.

    size: px of a crop's side. threshold: a face's least score. template: (5, 2) where the
    landmarks go, see ``TEMPLATE``. closer: photo and found face to the face with better landmarks.

    >>> crop, matrix = FaceAligner(64).crop(photo)          # the largest face
    >>> crops = [FaceAligner(64).crop(photo, face) for face in FaceAligner(64).faces(photo)]
    """

    def __init__(
        self,
        size: int = 64,
        threshold: float = 0.5,
        template: Sequence | np.ndarray = TEMPLATE,
        closer: Callable[[np.ndarray, FoundFace], FoundFace] = closer_upright,
    ):
        self.size, self.threshold, self.closer = size, threshold, closer
        self.template = np.asarray(template, dtype=np.float64)
        if self.template.shape != (5, 2):
            raise ValueError(f"FaceAligner wants a (5, 2) template, got {self.template.shape}")

    def faces(self, photo: np.ndarray, largest: bool = False, name="") -> list[FoundFace]:
        """The faces of a (H, W, 3) uint8 RGB photo, the largest first, or only that one.

        All are looked for in looks as fine as the photo is, which takes about 1 s for 2 megapixels.

        Raises NoFaceError, which calls the photo ``name``.
        """
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
            got = f"{photo.dtype} {photo.shape}"
            raise ValueError(f"FaceAligner wants a (H, W, 3) uint8 photo, got {got}")
        looks = LOOKS if largest else (*LOOKS, *LAST_LOOKS)
        found = detect(photo, looks, self.threshold)
        if not largest:
            found = distinct(found + look_closely(photo, self.threshold))
        if max((face.score for face in found), default=0) < UNSURE:
            found = distinct(found + detect_turned(photo, LOOKS, self.threshold))
        found = found or detect(photo, LAST_LOOKS, self.threshold)
        if not found:
            raise NoFaceError(name or "array", f"no face found (threshold {self.threshold})")
        found = without_parts(sorted(found, key=lambda face: -face.area))
        return [self.closer(photo, face) for face in found[: 1 if largest else None]]

    def matrix(self, face: FoundFace) -> np.ndarray:
        """(2, 3) from photo pixels to crop pixels, both with pixel centres at integers."""
        return fit_similarity(face.landmarks, self.template * self.size - 0.5)

    def crop(self, photo: np.ndarray, face: FoundFace | None = None, name="") -> tuple:
        """The crop (size, size, 3) uint8 and its ``matrix``, of a face or of the largest one."""
        face = face or self.faces(photo, largest=True, name=name)[0]
        matrix = self.matrix(face)
        return warp(photo, matrix, self.size), matrix


def detect(photo: np.ndarray, looks: Sequence, threshold: float) -> list[FoundFace]:
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


def look_closely(photo: np.ndarray, threshold: float) -> list[FoundFace]:
    """The faces that are small in a large photo: looks from twice `TILE` up to its own size.

    Each look is at tiles that overlap; a face counts in the tile in whose inner part it lies.
    """
    faces, longest = [], 2 * TILE
    while longest / 2 < max(photo.shape[:2]):
        scale = min(1.0, longest / max(photo.shape[:2]))
        width, height = (max(1, round(side * scale)) for side in photo.shape[1::-1])
        seen = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
        scales = np.array(photo.shape[1::-1]) / (width, height)
        for corner in corners(width, height):
            tile = seen[corner[1] : corner[1] + TILE, corner[0] : corner[0] + TILE]
            faces += [
                face.moved(scales, (corner + 0.5) * scales - 0.5)
                for face in find_faces(np.ascontiguousarray(tile), threshold)
                if inner(face, corner, (width, height))
            ]
        longest *= 2
    return distinct(faces)


def corners(width: int, height: int) -> list[np.ndarray]:
    """(2,) x, y of tiles of `TILE` px that overlap by `OVERLAP` and cover a picture."""
    across, down = (range(0, max(1, s - OVERLAP), TILE - OVERLAP) for s in (width, height))
    return [np.array([x, y]) for y in down for x in across]


def inner(face: FoundFace, corner: np.ndarray, size: tuple[int, int]) -> bool:
    """Whether a face is so far from the cut sides of its tile that another tile has no more."""
    middle = face.box.reshape(2, 2).mean(0)
    low = np.where(corner > 0, OVERLAP / 2, -np.inf)
    high = np.where(corner + TILE < size, TILE - OVERLAP / 2, np.inf)
    return bool(np.all((low <= middle) & (middle <= high)))


def without_parts(faces: Sequence[FoundFace]) -> list[FoundFace]:
    """Faces, the largest first, without those within a larger one: an eye is no face."""
    kept: list[FoundFace] = []
    for face in faces:
        low = [np.maximum(face.box[:2], other.box[:2]) for other in kept]
        high = [np.minimum(face.box[2:], other.box[2:]) for other in kept]
        shared = [float(np.prod(np.maximum(h - each, 0))) for each, h in zip(low, high)]
        if max(shared, default=0) < PART * face.area:
            kept.append(face)
    return kept


def detect_turned(photo: np.ndarray, looks: Sequence, threshold: float) -> list[FoundFace]:
    """The faces found in the three other turns of the photo by right angles, in its own pixels."""
    faces = []
    for quarters in range(1, 4):
        found = detect(np.ascontiguousarray(np.rot90(photo, quarters)), looks, threshold)
        faces += [turned_back(face, photo.shape, quarters) for face in found]
    return faces


def turned_back(face: FoundFace, shape: Sequence, quarters: int) -> FoundFace:
    """A face of `np.rot90(photo, quarters)` in pixels of the photo of that shape (H, W, ...)."""
    last = np.array([shape[1], shape[0]]) - 1  # x, y of the photo's last pixel
    points = np.concatenate([face.landmarks, face.box.reshape(2, 2)])
    for left in range(quarters, 0, -1):  # x, y was at y, last x - x before one turn less
        points = np.stack([last[(left + 1) % 2] - points[:, 1], points[:, 0]], 1)
    box = np.concatenate([points[5:].min(0), points[5:].max(0)])
    return replace(face, landmarks=points[:5], box=box)
