"""Where the texels of the heads' skin lie, for tests of what is drawn on them."""

from functools import lru_cache

import cv2
import numpy as np

from l2rkit.data.heads.atlas import TEXTURE, texels

SIDE = TEXTURE // 2


def small(picture: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE, ...) of a map of `texels()`."""
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


@lru_cache
def rest() -> np.ndarray:
    """(SIDE, SIDE, 3) dm: where the texels lie on the mean head."""
    return small(texels().rest)


def at(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    """The texel of a picture (SIDE, SIDE, ...) at (x, y) dm on the front of the mean head."""
    known = rest()
    away = np.hypot(known[..., 0] - x, known[..., 1] - y) + 9 * (known[..., 2] > 0.3)
    return picture[np.unravel_index(away.argmin(), away.shape)]
