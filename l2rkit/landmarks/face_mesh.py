"""FaceMesh: 468 points of a face in three dimensions, from one photo.

Kartynnik et al., 'Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs', 2019
(arXiv 1907.06724). The network is MediaPipe's `face_landmark.tflite`, which OpenCV runs; Google
trained it with 3D labels of its own. `l2rkit/zoo/LICENSES.md` says where the file comes from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import local

import cv2
import numpy as np

from ..errors import WeightsError
from ..geometry import focal
from ..registry import MODELS
from ..zoo import zoo_file
from .points import LEFT_EYE_OUTER, MEAN_FACE, MIRRORED, POINTS, RIGHT_EYE_OUTER

INPUT = 192  # px of the square that the network sees
FIELD = 1.5  # side of that square / longer side of the landmarks' bounding box
BATCH = 32  # faces in a forward pass
PRESENCE = "conv2d_31"  # the layer of the face presence score
_networks = local()  # a cv2.dnn network serves one thread at a time


@dataclass(frozen=True)
class Region:
    """The square of a photo in which the network looks for a face.

    centre (2,): x, y px; side: px; roll: radians by which the face leans, clockwise as seen.
    """

    centre: np.ndarray
    side: float
    roll: float = 0.0

    @classmethod
    def aligned(cls, photo: np.ndarray) -> "Region":
        """The region of an aligned crop (S, S, 3): around the mean face's landmarks."""
        size = max(2, photo.shape[1])
        across = MEAN_FACE[:, :2] / MEAN_FACE[:, 2:] * focal(size) + (size - 1) / 2
        return cls.around(np.column_stack([across, np.zeros(POINTS)]))

    @classmethod
    def around(cls, landmarks: np.ndarray) -> "Region":
        """The region around landmarks (468, 3) px, rolled to level the outer eye corners."""
        low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
        return cls((low + high) / 2, FIELD * float((high - low).max()), roll_of(landmarks))

    def matrix(self) -> np.ndarray:
        """(2, 3): the affine map from pixels of the photo to pixels of the network's input."""
        scale = INPUT / self.side
        cosine, sine = scale * np.cos(self.roll), scale * np.sin(self.roll)
        turn = np.array([[cosine, sine], [-sine, cosine]])
        return np.column_stack([turn, (INPUT - 1) / 2 - turn @ self.centre])


@MODELS.register_module()
class FaceMesh:
    """Landmarks (B, 468, 3) of the face in each photo, float32 px of the photo.

    x to the right, y down, pixel centres at integers; z in the same unit, negative towards the
    camera, 0 near the depth of the head's middle. The network returns points for any picture, even
    without a face: `presence` scores them.

    Args:
        weights: a `.tflite` file with the same input and output; default: the shipped one.
        rounds: forward passes per face; each region is that of the previous landmarks.
        mirrored: averages the landmarks of the photo and of its mirror image, in twice the time. A
            mirrored photo then has exactly mirrored landmarks.

    Raises:
        ValueError: rounds is below 1, or a photo is not (H, W, 3) uint8.
        WeightsError: the file is missing, damaged, or another network's.
    """

    VERSION = 1  # increase it with any change of the landmarks: caches on disk depend on it

    def __init__(self, weights: str | None = None, rounds: int = 3, mirrored: bool = True) -> None:
        if rounds < 1:
            raise ValueError(f"FaceMesh: rounds is at least 1, not {rounds}")
        self.path = zoo_file("face_landmark.tflite") if weights is None else Path(weights)
        self.rounds, self.mirrored = rounds, mirrored
        _network(self.path)

    def __call__(
        self, photos: Sequence[np.ndarray], regions: Sequence[Region] | None = None
    ) -> np.ndarray:
        """Landmarks (B, 468, 3) px of photos, each (H, W, 3) uint8 RGB.

        regions: where each first pass looks; default: those of aligned crops.
        """
        return self.checked(photos, regions)[0] if self.mirrored else self._find(photos, regions)

    def _find(self, photos: Sequence[np.ndarray], regions: Sequence[Region] | None) -> np.ndarray:
        regions = [Region.aligned(photo) for photo in photos] if regions is None else regions
        found = np.zeros((len(photos), POINTS, 3), np.float32)
        for _ in range(self.rounds):
            for first in range(0, len(photos), BATCH):
                some = slice(first, first + BATCH)
                found[some] = self._predict(photos[some], regions[some])
            regions = [Region.around(points) for points in found]
        return found

    def checked(
        self, photos: Sequence[np.ndarray], regions: Sequence[Region] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Landmarks (B, 468, 3) px, mean over photo and mirror image; `disagreement` (B,)."""
        mirrored = [np.ascontiguousarray(photo[:, ::-1]) for photo in photos]
        if regions is not None:
            turned = [mirrored_region(r, photo.shape[1]) for r, photo in zip(regions, photos)]
        own = self._find(photos, regions)
        other = self._find(mirrored, None if regions is None else turned)
        widths = np.array([photo.shape[1] for photo in photos])
        other = mirrored_landmarks(other, widths)
        return (own + other) / 2, disagreement(own, other)

    def presence(self, photos: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        """(B,): log odds of an upright face at landmarks (B, 468, 3) px of photos.

        Use it to compare positions and rolls: faces of very bad photos may score below 0. Takes as
        long as one round.
        """
        found = np.zeros(len(photos), np.float32)
        for first in range(0, len(photos), BATCH):
            some = slice(first, first + BATCH)
            regions = [Region.around(points) for points in landmarks[some]]
            found[some] = self._forward(photos[some], regions, PRESENCE).reshape(-1)
        return found

    def _predict(self, photos: Sequence[np.ndarray], regions: Sequence[Region]) -> np.ndarray:
        points = self._forward(photos, regions).reshape(len(photos), POINTS, 3)
        for own, region in zip(points, regions):
            back = cv2.invertAffineTransform(region.matrix())
            own[:, :2] = own[:, :2] @ back[:, :2].T + back[:, 2]
            own[:, 2] *= region.side / INPUT
        return points

    def _forward(
        self, photos: Sequence[np.ndarray], regions: Sequence[Region], *layer: str
    ) -> np.ndarray:
        for photo in photos:
            if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
                got = f"{photo.dtype} {photo.shape}"
                raise ValueError(f"FaceMesh expects photos (H, W, 3) uint8, got {got}")
        squares = [
            cv2.warpAffine(photo, region.matrix(), (INPUT, INPUT), flags=cv2.INTER_CUBIC,
                           borderMode=cv2.BORDER_REPLICATE)
            for photo, region in zip(photos, regions)
        ]  # fmt: skip
        network = _network(self.path)
        network.setInput(np.stack(squares).transpose(0, 3, 1, 2).astype(np.float32) / 255)
        try:
            return network.forward(*layer)
        except cv2.error:  # `_network` ran it once, so only the layer can be missing
            raise WeightsError(f"{self.path} has no layer {layer}, or OpenCV renamed it") from None


def roll_of(landmarks: np.ndarray) -> float:
    """Radians, clockwise: slope of the line through the outer eye corners of (468, 3) px."""
    x, y = landmarks[RIGHT_EYE_OUTER, :2] - landmarks[LEFT_EYE_OUTER, :2]
    return float(np.arctan2(y, x))


def eye_distance(landmarks: np.ndarray) -> np.ndarray:
    """(...): 3D distance between the outer eye corners of landmarks (..., 468, 3)."""
    across = landmarks[..., LEFT_EYE_OUTER, :] - landmarks[..., RIGHT_EYE_OUTER, :]
    return np.linalg.norm(across, axis=-1)


def disagreement(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(B,): root mean square 2D distance of two sets of landmarks / 3D distance of the outer eyes.

    own, other (B, 468, 3): landmarks found in a photo and in its mirror image. On severely degraded
    photos the rank correlation with the true error is 0.51; that of `FaceMesh.presence` is 0.57.
    A threshold of 0.07 rejects 10 % of photos and 68 % of the worst 5 %; log odds of -1.5 reject
    10 % and 71 % (`tools/analysis/landmarks.py`).
    """
    square = np.square(own[..., :2] - other[..., :2]).sum(-1).mean(-1)
    return np.sqrt(square) / np.maximum(eye_distance((own + other) / 2), 1e-6)


def mirrored_landmarks(landmarks: np.ndarray, width: int | np.ndarray) -> np.ndarray:
    """(B, 468, 3): landmarks of the mirror image of a photo `width` px wide."""
    there = landmarks[:, MIRRORED].copy()
    there[..., 0] = np.reshape(np.asarray(width) - 1, (-1, 1)) - there[..., 0]
    return there


def mirrored_region(region: Region, width: int) -> Region:
    """The same square in the mirror image of a photo `width` px wide."""
    x, y = region.centre
    return Region(np.array([width - 1 - x, y]), region.side, -region.roll)


def _network(path: Path) -> "cv2.dnn.Net":
    """The network of this thread.

    Raises:
        WeightsError: the file is missing, damaged, or another network's.
    """
    known = _networks.__dict__.setdefault("by_path", {})
    if path in known:
        return known[path]
    if not path.is_file():
        raise WeightsError(f"no weights at {path}")
    try:
        network = cv2.dnn.readNetFromTFLite(np.frombuffer(path.read_bytes(), np.uint8))
        network.setInput(np.zeros((1, 3, INPUT, INPUT), np.float32))
        got = network.forward().size
    except cv2.error as error:
        reason = str(error).strip().splitlines()[0].rpartition("error: ")[2]
        raise WeightsError(f"{path} is not a whole TFLite network ({reason})") from None
    if got != 3 * POINTS:
        raise WeightsError(f"{path} is not FaceMesh: it gives {got} numbers, not {3 * POINTS}")
    return known.setdefault(path, network)
