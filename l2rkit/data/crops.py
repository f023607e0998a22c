"""Square crops: the template of landmarks, the similarity that fits it, and the warp."""

import cv2
import numpy as np

# The eyes, nose tip and mouth corners as fractions of the crop (0 and 1 are the outer edges of the
# first and last pixel). The crop shows brows to chin and nearly ear to ear, like Unsup3D's demo.
# Mean of the frontal synthetic heads, symmetrized, with the proportions of real photos.
TEMPLATE = np.array([[0.31, 0.385], [0.69, 0.385], [0.5, 0.6], [0.335, 0.755], [0.665, 0.755]])
MIRRORED = [1, 0, 2, 4, 3]  # each landmark's index in the mirror image


def fit_similarity(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(2, 3): the similarity (rotation, scale, shift) that best fits points (N, 2) to targets.

    Least squares, without reflections. With complex numbers it is q = a p + b, and
    a = sum(conj(p) q) / sum(|p|^2) for centred points.

    Raises:
        ValueError: all points are equal.
    """
    p, q = (np.asarray(each, dtype=np.float64) @ [1, 1j] for each in (points, targets))
    centred = p - p.mean()
    spread = float(np.sum(abs(centred) ** 2))
    if spread < 1e-12:
        raise ValueError(f"fit_similarity expects points that differ, got {np.asarray(points)[0]}")
    a = np.sum(centred.conj() * (q - q.mean())) / spread
    b = q.mean() - a * p.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def whole(shape: tuple[int, ...], size: int) -> np.ndarray:
    """(2, 3): the matrix from the middle square of a picture (H, W, ...) to `size` px."""
    height, width = shape[:2]
    scale = size / min(height, width)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    return np.column_stack([np.eye(2) * scale, (size - 1) / 2 - scale * middle])


def same_crop(photo: np.ndarray, other: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3): of a photo what the matrix (2, 3) crops of the same one at another size."""
    return warp(photo, matrix @ resizing(other.shape[1] / photo.shape[1]), size)


def resizing(factor: float) -> np.ndarray:
    """(3, 3): from px of a photo to those of the photo resized by a factor, edges onto edges."""
    shift = factor / 2 - 0.5  # pixel centres are integers
    return np.array([[factor, 0, shift], [0, factor, shift], [0, 0, 1]])


def warp(photo: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """The (size, size, 3) crop of a photo by a (2, 3) matrix; the photo's edge is replicated.

    For downsampling, area averages first bring the photo to the crop's scale, which avoids
    aliasing.
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
    """The part of the photo under a crop, with a margin, and its top left corner."""
    inverse = cv2.invertAffineTransform(np.asarray(matrix, dtype=np.float64))
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) @ inverse[:, :2].T
    corners += inverse[:, 2]
    margin = 4 + 2 * np.ptp(corners, axis=0).max() / size
    height, width = photo.shape[:2]
    limit = np.array([width, height]) - 1
    low = np.clip(np.floor(corners.min(0) - margin), 0, limit).astype(int)
    high = np.clip(np.ceil(corners.max(0) + margin), 0, limit).astype(int)
    return photo[low[1] : high[1] + 1, low[0] : high[0] + 1], low
