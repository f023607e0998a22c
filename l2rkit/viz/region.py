"""Where in a canonical map the face is: the mean face's oval, without what is steep. Ours."""

import math
from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor

from ..landmarks.points import MEAN_FACE, OVAL
from ..render.warp import stretched
from ..structures import FIELD_OF_VIEW_DEG

STEEPEST_DEG = 70.0  # steeper to the camera's rays, a surface leads from the face to what is behind
SMOOTH = 1 / 24  # share of the width: sigma of the blur that takes away ripples, but no silhouette
BORDER = 1 / 32  # share of the width at left and right, where some methods hold the depth fixed
BRIDGE = 1 / 12  # share of the width; what hangs on the face by a narrower bridge is cut off
ROUND = 1 / 32  # share of the width: sigma of the blur that rounds the outline off
# Factor by which the oval is made higher above the camera's axis: landmarks end below the hair. At
# the sides it stays, for a wider one has the background of narrow faces.
HIGHER = 1.08
LEAST = 1e-3  # of a level, so that no vertex lies on the rim and no triangle is without area


def face_level(depth: Tensor) -> np.ndarray:
    """(H, W) float64: above 0 at the pixels of a canonical depth (1, 1, H, W) that are the face.

    It falls smoothly through 0 at the rim, to 0.5 away from it on both sides. The face is the oval
    of the mean face without what is steep (see `flat_cells`); all of the oval where nothing in the
    middle is flat. It is one patch without holes, and so is the surface that `cut` leaves of it.
    """
    oval = oval_cells(depth.shape[-1])
    level = rounded_level(flat_cells(depth) * oval)
    return disc(level if middle_patch(level > 0).any() else rounded_level(oval))


def rounded_level(cells: np.ndarray) -> np.ndarray:
    """(H + 1, W + 1): at the corners of cells (H, W) in 0..1, their blurred share less a half."""
    size = np.array(cells.shape) + 1
    blurred = cv2.GaussianBlur(
        np.pad(cells.astype(np.float64), 1), None, size[0] * ROUND, borderType=cv2.BORDER_CONSTANT
    )
    corners = blurred[:-1, :-1] + blurred[:-1, 1:] + blurred[1:, :-1] + blurred[1:, 1:]
    return corners / 4 - 0.5


def disc(level: np.ndarray) -> np.ndarray:
    """The level (H, W), moved past 0 where what is above 0 is more, or less, than a disc."""
    inside = without_pinches(middle_patch(level > 0).astype(bool))
    return np.where(inside, np.maximum(level, LEAST), np.minimum(level, -LEAST))


@lru_cache(maxsize=8)
def oval_cells(size: int) -> np.ndarray:
    """(size - 1, size - 1) in 0..1: how far cells of a canonical map are in the mean face's oval.

    Chin and forehead reach the map's edge.
    """
    points = MEAN_FACE[OVAL, :2] / MEAN_FACE[OVAL, 2:]
    points[points[:, 1] < 0, 1] *= HIGHER
    half = math.tan(math.radians(FIELD_OF_VIEW_DEG / 2))
    outline = ((points / half + 1) / 2 * (size - 1) - 0.5).astype(np.float32)
    reach = [
        [cv2.pointPolygonTest(outline, (x, y), True) for x in range(size - 1)]
        for y in range(size - 1)
    ]
    return np.clip(np.array(reach) + 0.5, 0, 1)


def flat_cells(depth: Tensor, steepest_deg: float = STEEPEST_DEG) -> np.ndarray:
    """(H - 1, W - 1) bool: the cells of a canonical depth (1, 1, H, W) that may be the face.

    They are the patch in the middle where the blurred depth has no steep triangles (the measure is
    that of a renderer's `max_slope_deg`, see `stretched`), away from the border, without what hangs
    on by a thin bridge. There is none where the middle is steep.
    """
    side = depth.shape[-1] - 1
    even = cv2.GaussianBlur(depth[0, 0].numpy(), None, side * SMOOTH, None, 0, cv2.BORDER_REPLICATE)
    steep = (
        stretched(torch.from_numpy(even)[None, None], steepest_deg)[0]
        .view(side, side, 2)
        .any(-1)
        .numpy()
    )
    border = round(side * BORDER)
    flat = np.zeros((side, side), np.uint8)
    inside = slice(1, side - 1), slice(border, side - border)  # no normals in the outermost rows
    flat[inside] = ~steep[inside]
    bridge = round(side * BRIDGE) // 2 * 2 + 1  # odd, so that the disc has a middle
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (bridge, bridge))
    core = middle_patch(cv2.erode(flat, disc, borderType=cv2.BORDER_CONSTANT, borderValue=0))
    return middle_patch(cv2.dilate(core, disc) & flat).astype(bool)


def middle_patch(cells: np.ndarray) -> np.ndarray:
    """Of cells (H, W), true or not, uint8 of the patch with most of the middle, linked by edges.

    A canonical face stands in the middle, even if there is more of its background.
    """
    cells = cells.astype(np.uint8)
    _, labels = cv2.connectedComponents(cells, connectivity=4)
    middle = tuple(slice(side // 4, side - side // 4) for side in cells.shape)
    sizes = np.bincount(labels[middle].ravel())
    sizes[0] = 0
    return ((labels == sizes.argmax()) & (cells > 0)).astype(np.uint8)


def without_pinches(cells: np.ndarray) -> np.ndarray:
    """A patch (H, W) bool, made larger until it has no holes and no corner where only two meet."""
    while True:
        cells = without_holes(cells)
        corners = [cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]]
        p, q, r, s = corners
        pinched = (p & s & ~q & ~r) | (q & r & ~p & ~s)
        if not pinched.any():
            return cells
        for corner in corners:  # views into `cells`
            corner |= pinched


def without_holes(cells: np.ndarray) -> np.ndarray:
    """A patch (H, W) bool with all that it surrounds; empty cells hang together at corners, too."""
    empty = np.pad(~cells, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(empty, connectivity=8)
    return (labels != labels[0, 0])[1:-1, 1:-1]
