"""CenterFace: a face detector with five landmarks: eyes, nose tip and mouth corners.

Xu et al., 'CenterFace: Joint Face Detection and Alignment Using Face as Point', 2019
(arXiv 1911.03599). Faces are peaks of a heatmap of a quarter of the picture's size; other outputs
give size, offset and landmarks at each peak. OpenCV runs ``l2rkit/zoo/centerface.onnx``;
``l2rkit/zoo/LICENSES.md`` has its source.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from ..ops.threads import fork_safe_lock

NETWORK = Path(__file__).parents[1] / "zoo" / "centerface.onnx"
STRIDE = 4  # picture px per heatmap cell
MULTIPLE = 32  # px; the network halves the picture five times
OUTPUTS = ("heatmap", "size", "offset", "landmarks")
_one_at_a_time = fork_safe_lock()  # a cv2.dnn network is not thread-safe


@dataclass(frozen=True)
class FoundFace:
    """A detected face. Pixel centres at integers, x right, y down.

    score: 0..1; box: (4,) x0 y0 x1 y1 px; landmarks: (5, 2) px of left eye, right eye, nose tip,
    left and right mouth corner, left and right as in the picture.
    """

    score: float
    box: np.ndarray
    landmarks: np.ndarray

    @property
    def area(self) -> float:
        """The area of the box in square px."""
        return float(np.prod(self.box[2:] - self.box[:2]))

    def moved(self, scale, shift) -> "FoundFace":
        """The face with all points p moved to ``scale * p + shift``, both (2,)."""
        box = (self.box.reshape(2, 2) * scale + shift).reshape(4)
        return FoundFace(self.score, box, self.landmarks * scale + shift)


def find_faces(photo: np.ndarray, threshold: float = 0.5) -> list[FoundFace]:
    """The faces of a (H, W, 3) uint8 RGB photo at its own scale, the highest score first.

    The photo is padded at the right and below to a multiple of 32 px, and not resized.
    """
    height, width = photo.shape[:2]
    below, right = -height % MULTIPLE, -width % MULTIPLE
    padded = cv2.copyMakeBorder(photo, 0, below, 0, right, cv2.BORDER_REPLICATE)
    blob = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)
    with _one_at_a_time:
        network = _network(padded.shape)
        network.setInput(blob)
        heatmap, size, offset, landmarks = network.forward(OUTPUTS)
    return distinct(decode(heatmap[0, 0], size[0], offset[0], landmarks[0], threshold))


def decode(heatmap, size, offset, landmarks, threshold: float = 0.5) -> list[FoundFace]:
    """The faces in the network's four outputs, at every cell above the threshold.

    heatmap (h, w) in 0..1; size (2, h, w) log of height and width in cells; offset (2, h, w) y and
    x in cells from the cell's centre; landmarks (10, h, w) five (y, x) from the box's top left
    corner in heights and widths of the box.
    """
    faces = []
    for row, col in zip(*np.nonzero(heatmap > threshold), strict=True):
        extent = np.exp(size[::-1, row, col]) * STRIDE  # width, height in px
        cell = np.array([col, row]) + 0.5 + offset[::-1, row, col]
        corner = cell * STRIDE - 0.5 - extent / 2  # -0.5: pixel centres at integers
        points = landmarks[:, row, col].reshape(5, 2)[:, ::-1] * extent + corner
        box = np.concatenate([corner, corner + extent])
        faces.append(FoundFace(float(heatmap[row, col]), box, points))
    return faces


def distinct(faces: list[FoundFace], overlap: float = 0.3) -> list[FoundFace]:
    """Non-maximum suppression: faces with an intersection over union of at most ``overlap``."""
    boxes = [[*face.box[:2].tolist(), *(face.box[2:] - face.box[:2]).tolist()] for face in faces]
    scores = [face.score for face in faces]
    return [faces[i] for i in cv2.dnn.NMSBoxes(boxes, scores, 0.0, overlap)]


@lru_cache(maxsize=6)
def _network(shape):
    """The network for one shape of picture; used for two, OpenCV 4 returns wrong results."""
    if not NETWORK.is_file():
        raise FileNotFoundError(f"the face detector needs {NETWORK}, which is not there")
    return cv2.dnn.readNetFromONNX(str(NETWORK))
