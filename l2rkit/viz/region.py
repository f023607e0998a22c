"""The region of a face in a canonical map: the mean face's oval within its own outline. Ours."""

import math
from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor

from ..landmarks.points import MEAN_FACE, OVAL
from ..render.warp import stretched
from ..structures import FIELD_OF_VIEW_DEG

STEEPEST_DEG = 70.0  # steeper surfaces to the camera's rays connect the face to the background
SMOOTH = 1 / 24  # share of the width: sigma of the blur that removes ripples, but no silhouette
BORDER = 1 / 32  # share of the width at left and right, where some methods fix the depth
BRIDGE = 1 / 12  # share of the width; parts connected by a narrower bridge are cut off
ROUND = 1 / 32  # share of the width: sigma of the blur that rounds the outline
# Factor of the oval's height above the camera's axis, as landmarks end below the hair. Its width
# does not change: a wider one would include the background of narrow faces.
HIGHER = 1.08
LEAST = 1e-3  # of a level, so that no vertex is on the rim and no triangle has area 0


def face_level(depth: Tensor, region: Tensor | None = None) -> np.ndarray:
    """(H, W) float64: a level, above 0 at the face's pixels of a canonical depth (1, 1, H, W).

    It falls smoothly through 0 at the rim, between 0.5 inside and -0.5 outside. The face is the
    mean face's oval within its own `region` (1, 1, H, W), if that is known, without steep parts
    (see `flat_cells`), or with them if nothing in the middle is flat. It is one patch without
    holes, and so is the surface after `cut`.
    """
    oval = oval_cells(depth.shape[-1])
    if region is not None:
        within = oval * region_cells(region)
        oval = within if middle_patch(rounded_level(within) > 0).any() else oval
    level = rounded_level(flat_cells(depth) * oval)
    return disc(level if middle_patch(level > 0).any() else rounded_level(oval))


def rounded_level(cells: np.ndarray) -> np.ndarray:
    """(H + 1, W + 1): cells (H, W) in 0..1, blurred, at their corners, minus a half."""
    size = np.array(cells.shape) + 1
    blurred = cv2.GaussianBlur(
        np.pad(cells.astype(np.float64), 1), None, size[0] * ROUND, borderType=cv2.BORDER_CONSTANT
    )
    corners = blurred[:-1, :-1] + blurred[:-1, 1:] + blurred[1:, :-1] + blurred[1:, 1:]
    return corners / 4 - 0.5


def disc(level: np.ndarray) -> np.ndarray:
    """The level (H, W), changed to be above 0 on one patch without holes."""
    inside = without_pinches(middle_patch(level > 0).astype(bool))
    return np.where(inside, np.maximum(level, LEAST), np.minimum(level, -LEAST))


@lru_cache(maxsize=8)
def oval_cells(size: int) -> np.ndarray:
    """(size - 1, size - 1) in 0..1: cells of a canonical map in the mean face's oval.

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


def region_cells(region: Tensor) -> np.ndarray:
    """(H - 1, W - 1) in 0..1: cells of a canonical map in a face's own region (1, 1, H, W).

    It is `HIGHER` above the camera's axis, as the mean face's oval is.
    """
    size = region.shape[-1]
    column, row = np.meshgrid(*[np.arange(size - 1, dtype=np.float32) + 0.5] * 2)
    axis = (size - 1) / 2
    row = np.where(row < axis, axis + (row - axis) / HIGHER, row).astype(np.float32)
    mask = region[0, 0].detach().float().numpy()
    return cv2.remap(mask, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def flat_cells(depth: Tensor, steepest_deg: float = STEEPEST_DEG) -> np.ndarray:
    """(H - 1, W - 1) bool: the cells of a canonical depth (1, 1, H, W) that may be the face.

    They are the middle patch of blurred depth without steep triangles (measured as by a renderer's
    `max_slope_deg`, see `stretched`), without the border and parts on narrow bridges. The patch is
    empty if the middle is steep.
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
    """(H, W) uint8: the 4-connected patch of cells (H, W) that covers most of the middle.

    A canonical face is in the middle, even if the background has more cells.
    """
    cells = cells.astype(np.uint8)
    _, labels = cv2.connectedComponents(cells, connectivity=4)
    middle = tuple(slice(side // 4, side - side // 4) for side in cells.shape)
    sizes = np.bincount(labels[middle].ravel())
    sizes[0] = 0
    return ((labels == sizes.argmax()) & (cells > 0)).astype(np.uint8)


def without_pinches(cells: np.ndarray) -> np.ndarray:
    """A patch (H, W) bool, grown until it has no holes and no cells that touch only at a corner."""
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
    """A patch (H, W) bool with its holes filled; empty cells are 8-connected."""
    empty = np.pad(~cells, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(empty, connectivity=8)
    return (labels != labels[0, 0])[1:-1, 1:-1]
