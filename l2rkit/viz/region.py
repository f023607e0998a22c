"""Where in a canonical map the face is, and where only its background. Ours."""

import cv2
import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ..render.warp import stretched

STEEPEST_DEG = 55.0  # steeper to the camera's rays, a surface leads from the face to what is behind
SMOOTH = 1 / 24  # share of the width: sigma of the blur that takes away ripples, but no silhouette
BORDER = 1 / 32  # share of the width on each side where some methods hold the depth fixed
BRIDGE = 1 / 12  # share of the width; what hangs on the face by a narrower bridge is cut off
ROUND = 1 / 32  # share of the width: sigma of the blur that rounds the outline off


def face_cells(depth: Tensor, steepest_deg: float = STEEPEST_DEG) -> np.ndarray:
    """(H - 1, W - 1) bool: the cells of a canonical depth (1, 1, H, W) that are the face.

    They are the patch in the middle where the blurred depth has no steep triangles (the measure is
    that of a renderer's `max_slope_deg`, see `stretched`), away from the border, without what hangs
    on by a thin bridge, its outline rounded off. It has no holes, and none of its cells touch at a
    corner alone: the rim is a single line.

    Raises:
        UserError: the middle is steep.
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
    inside = slice(border, side - border)
    flat[inside, inside] = ~steep[inside, inside]
    bridge = round(side * BRIDGE) // 2 * 2 + 1  # odd, so that the disc has a middle
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (bridge, bridge))
    core = middle_patch(cv2.erode(flat, disc, borderType=cv2.BORDER_CONSTANT, borderValue=0))
    patch = middle_patch(cv2.dilate(core, disc) & flat)
    smooth = cv2.GaussianBlur(patch.astype(np.float32), None, side * ROUND) > 0.5
    cells = without_pinches(middle_patch(smooth.astype(np.uint8)).astype(bool))
    if not cells.any():
        raise UserError(f"no face in this depth: its middle is steeper than {steepest_deg:g} deg")
    return cells


def middle_patch(cells: np.ndarray) -> np.ndarray:
    """Of cells (H, W) uint8, the patch that has most of the middle; its cells share edges.

    A canonical face stands in the middle, even if there is more of its background.
    """
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
