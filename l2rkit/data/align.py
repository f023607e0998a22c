"""Face alignment: square crops of faces, placed as in the training images.

Steps: detect faces at several scales, and in the rotated photo if the scores are low; refine the
landmarks of each in upright close-ups and their mirror images (`l2rkit.data.closer`); fit the
similarity that takes them to ``TEMPLATE``; warp.
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
# scene; a face that fills the picture, which the network only detects with a border around it
LOOKS = ((640, 0.0, 1), (128, 0.5, 8))
LAST_LOOKS = ((1600, 0.0, 2), (256, 0.5, 8))  # for tiny and poor faces, if LOOKS find none
TILE, OVERLAP = 1600, 320  # px of tiles of a photo; faces larger than OVERLAP need a coarser scale
PART = 0.6  # share of a face's area in a larger face above which it is a part of that face
UNSURE = 0.75  # lower scores make the detector try the rotated photo, too
GREY = (128, 128, 128)


class NoFaceError(PhotoError):
    """No face was found in a photo; the message is one line."""


class FaceAligner:
    """Detects faces in photos and crops them.

    Args:
        size: side of a crop in px.
        threshold: lowest score of a face, 0..1.
        template: (5, 2), the landmarks in the crop, see ``TEMPLATE``.
        closer: (photo, face) → the face with refined landmarks.

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
            raise ValueError(f"FaceAligner expects a (5, 2) template, got {self.template.shape}")

    def faces(self, photo: np.ndarray, largest: bool = False, name="") -> list[FoundFace]:
        """The faces of a (H, W, 3) uint8 RGB photo, the largest first.

        With `largest`, only the largest one. Otherwise the photo is searched at its full resolution
        too, which takes about 1 s for 2 megapixels.

        Raises:
            NoFaceError: there is no face; ``name`` is the photo in the message.
            ValueError: the photo is not (H, W, 3) uint8.
        """
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
            got = f"{photo.dtype} {photo.shape}"
            raise ValueError(f"FaceAligner expects a (H, W, 3) uint8 photo, got {got}")
        looks = LOOKS if largest else (*LOOKS, *LAST_LOOKS)
        found = detect(photo, looks, self.threshold)
        if not largest:
            found = distinct(found + detect_tiled(photo, self.threshold))
        if max((face.score for face in found), default=0) < UNSURE:
            found = distinct(found + detect_turned(photo, LOOKS, self.threshold))
        found = found or detect(photo, LAST_LOOKS, self.threshold)
        if not found:
            raise NoFaceError(name or "array", f"no face found (threshold {self.threshold})")
        found = without_parts(sorted(found, key=lambda face: -face.area))
        return [self.closer(photo, face) for face in found[: 1 if largest else None]]

    def matrix(self, face: FoundFace) -> np.ndarray:
        """(2, 3): the similarity from photo px to crop px, both with pixel centres at integers."""
        return fit_similarity(face.landmarks, self.template * self.size - 0.5)

    def crop(self, photo: np.ndarray, face: FoundFace | None = None, name="") -> tuple:
        """The crop (size, size, 3) uint8 and its ``matrix``; default: of the largest face."""
        face = face or self.faces(photo, largest=True, name=name)[0]
        matrix = self.matrix(face)
        return warp(photo, matrix, self.size), matrix


def detect(photo: np.ndarray, looks: Sequence, threshold: float) -> list[FoundFace]:
    """The distinct faces at several scales, in px of the (H, W, 3) photo."""
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


def detect_tiled(photo: np.ndarray, threshold: float) -> list[FoundFace]:
    """The small faces of a large photo, at scales from twice `TILE` up to its own size.

    Each scale is searched in overlapping tiles; a face counts in the tile whose inner part has it.
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
    """(2,) x, y px of the tiles' top left corners; tiles overlap by `OVERLAP` px."""
    across, down = (range(0, max(1, s - OVERLAP), TILE - OVERLAP) for s in (width, height))
    return [np.array([x, y]) for y in down for x in across]


def inner(face: FoundFace, corner: np.ndarray, size: tuple[int, int]) -> bool:
    """Whether a face's middle is in the inner part of its tile, without half of each overlap."""
    middle = face.box.reshape(2, 2).mean(0)
    low = np.where(corner > 0, OVERLAP / 2, -np.inf)
    high = np.where(corner + TILE < size, TILE - OVERLAP / 2, np.inf)
    return bool(np.all((low <= middle) & (middle <= high)))


def without_parts(faces: Sequence[FoundFace]) -> list[FoundFace]:
    """Faces, the largest first, without those inside a larger one, such as an eye."""
    kept: list[FoundFace] = []
    for face in faces:
        low = [np.maximum(face.box[:2], other.box[:2]) for other in kept]
        high = [np.minimum(face.box[2:], other.box[2:]) for other in kept]
        shared = [float(np.prod(np.maximum(h - each, 0))) for each, h in zip(low, high)]
        if max(shared, default=0) < PART * face.area:
            kept.append(face)
    return kept


def detect_turned(photo: np.ndarray, looks: Sequence, threshold: float) -> list[FoundFace]:
    """The faces in the photo rotated by 90, 180 and 270 degrees, in px of the photo itself."""
    faces = []
    for quarters in range(1, 4):
        found = detect(np.ascontiguousarray(np.rot90(photo, quarters)), looks, threshold)
        faces += [turned_back(face, photo.shape, quarters) for face in found]
    return faces


def turned_back(face: FoundFace, shape: Sequence, quarters: int) -> FoundFace:
    """A face of `np.rot90(photo, quarters)` in px of the photo, whose shape is (H, W, ...)."""
    last = np.array([shape[1], shape[0]]) - 1  # x, y of the photo's last pixel
    points = np.concatenate([face.landmarks, face.box.reshape(2, 2)])
    for left in range(quarters, 0, -1):  # x, y was at y, last x - x before one turn less
        points = np.stack([last[(left + 1) % 2] - points[:, 1], points[:, 0]], 1)
    box = np.concatenate([points[5:].min(0), points[5:].max(0)])
    return replace(face, landmarks=points[:5], box=box)
