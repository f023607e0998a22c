"""Finds the place of an openfaces crop in its source picture.

The manifest does not have the place. It has the crop's size, which of its edges are the picture's,
whether it may be downsampled, and the mean grey of its 4 x 4 cells. The place is searched by these
greys: a coarse grid over the unknowns, whose best places are refined by halved steps.
"""

from dataclasses import replace
from itertools import product

import cv2
import numpy as np

from l2rkit.data.openfaces import UNLIKE, CropRow, grey_errors, summed
from l2rkit.errors import DataError

COARSE = 1 / 12  # step of the grid in sides of the crop; a cell is three times as wide
COARSE_ZOOM = 1.03  # ratio of successive zooms of the grid
KEPT = 24  # places that are refined
HALVINGS = 12
AT_ONCE = 20_000  # places whose greys are computed together


def cut(photo: np.ndarray, row: CropRow) -> np.ndarray:
    """The (height, width, 3) uint8 crop of a (H, W, 3) uint8 source picture.

    Raises:
        DataError: the picture is too small, or no place looks like the crop.
    """
    x0, y0, x1, y1 = find_box(photo, row)
    part = photo[y0:y1, x0:x1]
    if part.shape[:2] == (row.height, row.width):
        return part
    return cv2.resize(part, (row.width, row.height), interpolation=cv2.INTER_AREA)


def find_box(photo: np.ndarray, row: CropRow) -> tuple[int, int, int, int]:
    """The crop's box x0 y0 x1 y1 in whole px of a (H, W, 3) uint8 source picture.

    Raises:
        DataError: as `cut`.
    """
    height, width = photo.shape[:2]
    if width < row.width or height < row.height:
        raise DataError(
            f"the picture has {width} x {height} px, its crop {row.width} x {row.height}"
        )
    sums = summed(photo)
    box, error = _search(sums, row)
    if error > UNLIKE:  # the source may have trimmed or enlarged its picture since
        box, error = _search(sums, replace(row, touches=(False,) * 4, scaled=True))
    if error > UNLIKE:
        raise DataError(f"no part of the picture looks like the crop ({error:.1f} of 255 off)")
    return tuple(box.astype(int).tolist())


def _search(sums: np.ndarray, row: CropRow) -> tuple[np.ndarray, float]:
    """The box (4,) with the least error, and this error in grey levels."""
    height, width = np.array(sums.shape) - 1
    places = _refined(sums, row, _grid(row, width, height))
    boxes = _whole(_boxes(places, row, width, height), row, width, height)
    errors = _errors(sums, boxes, row)
    best = int(errors.argmin())
    return boxes[best], float(errors[best])


def _grid(row: CropRow, width: int, height: int) -> np.ndarray:
    """(N, 3): zoom (px of the picture per px of the crop), x and y of the coarse grid."""
    left, right, top, bottom = row.touches
    most = min(width / (row.width - 0.5), height / (row.height - 0.5)) if row.scaled else 1.0
    zooms = COARSE_ZOOM ** np.arange(int(np.log(most) / np.log(COARSE_ZOOM)) + 1)
    if row.scaled and ((left and right) or (top and bottom)):
        zooms = np.array([width / row.width if left and right else height / row.height])
    places = []
    for zoom in np.maximum(zooms, 1.0):
        xs = _steps(width - row.width * zoom, row.width * zoom, left or right)
        ys = _steps(height - row.height * zoom, row.height * zoom, top or bottom)
        places += product([zoom], xs, ys)
    return np.array(places)


def _steps(room: float, side: float, known: bool) -> np.ndarray:
    """The grid's starts of the crop along an axis, from 0 to `room`; 0 if `known`."""
    if known or room <= 0:
        return np.zeros(1)
    return np.linspace(0, room, int(np.ceil(room / (COARSE * side))) + 1)


def _refined(sums: np.ndarray, row: CropRow, places: np.ndarray) -> np.ndarray:
    """(KEPT, 3): the best places, refined by halved steps."""
    height, width = np.array(sums.shape) - 1
    left, right, top, bottom = row.touches
    free = np.array([
        row.scaled and not (left and right) and not (top and bottom),
        not (left or right), not (top or bottom),
    ])  # fmt: skip
    step = np.array([np.log(COARSE_ZOOM), COARSE * row.width, COARSE * row.height])
    moves = np.array(list(product((0, -1, 1), repeat=3)))
    moves = moves[~moves[:, ~free].any(1)]
    for _ in range(HALVINGS):
        errors = _errors(sums, _boxes(places, row, width, height), row)
        places = places[np.argsort(errors, kind="stable")[:KEPT]]
        step = step / 2
        zooms = places[:, None, 0] * np.exp(moves[:, 0] * step[0])
        corners = places[:, None, 1:] + moves[:, 1:] * (step[1:] * places[:, None, :1])
        places = np.concatenate([zooms[..., None], corners], axis=2).reshape(-1, 3)
        places = np.unique(places, axis=0)
    errors = _errors(sums, _boxes(places, row, width, height), row)
    return places[np.argsort(errors, kind="stable")[:KEPT]]


def _boxes(places: np.ndarray, row: CropRow, width: int, height: int) -> np.ndarray:
    """(N, 4): the boxes of places (N, 3), within the picture and at its known edges."""
    zoom = np.maximum(places[:, 0], 1.0)
    sides = []
    for start, size, full, first, last in (
        (places[:, 1], row.width, width, *row.touches[:2]),
        (places[:, 2], row.height, height, *row.touches[2:]),
    ):
        side = np.minimum(size * zoom, full)
        start = np.clip(start, 0, full - side)
        start = np.zeros_like(start) if first else full - side if last else start
        end = np.full_like(start, full) if last and (row.scaled or not first) else start + side
        sides.append((start, end))
    (x0, x1), (y0, y1) = sides
    return np.stack([x0, y0, x1, y1], axis=1)


def _whole(boxes: np.ndarray, row: CropRow, width: int, height: int) -> np.ndarray:
    """The boxes in whole px; for crops that are not scaled, also those shifted by up to 2 px."""
    boxes = np.rint(boxes)
    if not row.scaled:
        left, right, top, bottom = row.touches
        xs = [0] if left or right else range(-2, 3)
        ys = [0] if top or bottom else range(-2, 3)
        moves = np.array([(x, y, x, y) for x, y in product(xs, ys)])
        boxes = np.unique((boxes[:, None] + moves).reshape(-1, 4), axis=0)
        inside = (boxes[:, :2] >= 0).all(1) & (boxes[:, 2:] <= (width, height)).all(1)
        boxes = boxes[inside]
    return boxes


def _errors(sums: np.ndarray, boxes: np.ndarray, row: CropRow) -> np.ndarray:
    """`grey_errors` of any number of boxes."""
    parts = [boxes[i : i + AT_ONCE] for i in range(0, len(boxes), AT_ONCE)]
    return np.concatenate([grey_errors(sums, part, row) for part in parts])
