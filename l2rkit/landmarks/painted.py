"""Paints occluders over faces by their landmarks, to train and test the occlusion detector."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from .points import (
    LEFT_CHEEK,
    LEFT_EYE,
    LEFT_EYE_INNER,
    LEFT_EYE_OUTER,
    MEAN_FACE,
    MOUTH,
    NOSE_TIP,
    RIGHT_CHEEK,
    RIGHT_EYE,
    RIGHT_EYE_INNER,
    RIGHT_EYE_OUTER,
)

Painter = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
GREY = 128
CLOTHS = ((170, 200, 220), (235, 238, 240), (25, 25, 28), (120, 160, 130))
BELOW = -0.008  # upper edge of a mask below the nose tip, in units of `MEAN_FACE`


def sunglasses(photo: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The photo (H, W, 3) uint8 with dark glasses; landmarks (468, 3). So for all painters."""
    at, unit = landmarks[:, :2], _eyes(landmarks)
    along = (at[RIGHT_EYE_OUTER] - at[LEFT_EYE_OUTER]) / unit
    down = np.array([-along[1], along[0]])
    lenses = [
        _ellipse(at[ring].mean(0) + 0.03 * unit * down, 0.27 * unit * along, 0.2 * unit * down)
        for ring in (LEFT_EYE, RIGHT_EYE)
    ]
    low, high, inward = 0.015 * unit * down, 0.045 * unit * down, 0.06 * unit * along
    left, right = at[LEFT_EYE_INNER] - inward, at[RIGHT_EYE_INNER] + inward
    bridge = np.array([left - high, right - high, right + low, left + low])
    dark = [rng.uniform(5, 50)] * 3
    return _filled(photo, [*lenses, bridge], dark, 0.012 * unit, rng.uniform(0.85, 1))


def mask(photo: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A cloth mask from the nose down."""
    low = MEAN_FACE[:, 1] > MEAN_FACE[NOSE_TIP, 1] + BELOW
    outline = cv2.convexHull(np.float32(landmarks[low, :2]))[:, 0]
    cloth = CLOTHS[rng.integers(len(CLOTHS))]
    return _filled(photo, [outline], cloth, 0.015 * _eyes(landmarks))


def hand(photo: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Four fingers of the cheek's colour over mouth, cheek or eye."""
    at, unit = landmarks[:, :2], _eyes(landmarks)
    sets = (MOUTH, LEFT_CHEEK, RIGHT_CHEEK, LEFT_EYE)
    middle, turn = at[sets[rng.integers(len(sets))]].mean(0), rng.uniform(0, np.pi)
    column, row = np.clip(
        np.rint(at[LEFT_CHEEK]).astype(int), 0, np.array(photo.shape[1::-1]) - 1
    ).T
    skin = np.median(photo[row, column], 0) * rng.uniform(0.75, 1.1)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    for finger in (-1.5, -0.5, 0.5, 1.5):
        place = middle + across * finger * 0.19 * unit
        edge = _ellipse(place, 0.75 * unit * along, 0.105 * unit * across)
        inside = _ellipse(place, 0.74 * unit * along, 0.09 * unit * across)
        photo = _filled(photo, [edge], skin * 0.55, 0.009 * unit)
        photo = _filled(photo, [inside], skin, 0.015 * unit)
    return photo


def bar(photo: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grey over one half of the picture: the left, the right or the lower one."""
    column, row = np.rint(landmarks[:, :2].mean(0)).astype(int)
    painted, side = photo.copy(), rng.integers(3)
    part = (np.s_[:, :column], np.s_[:, column:], np.s_[row:])[side]
    painted[part] = GREY
    return painted


def thing(photo: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A rectangle of one colour, as large as a telephone, over mouth, cheek or eye."""
    at, unit = landmarks[:, :2], _eyes(landmarks)
    sets = (MOUTH, LEFT_CHEEK, RIGHT_EYE)
    middle, turn = at[sets[rng.integers(len(sets))]].mean(0), rng.uniform(0, np.pi)
    along = 0.45 * unit * np.array([np.cos(turn), np.sin(turn)])
    across = 0.28 * unit * np.array([-np.sin(turn), np.cos(turn)])
    corners = [along + across, along - across, -along - across, across - along]
    return _filled(photo, [middle + np.array(corners)], rng.uniform(0, 255, 3), 0.009 * unit)


def negative(photo: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The negative of the whole photo."""
    return 255 - photo


PAINTERS: dict[str, Painter] = dict(
    sunglasses=sunglasses, mask=mask, hand=hand, bar=bar, thing=thing, negative=negative
)


def _eyes(landmarks: np.ndarray) -> float:
    """The distance of the outer eye corners in px."""
    return float(np.linalg.norm(landmarks[LEFT_EYE_OUTER, :2] - landmarks[RIGHT_EYE_OUTER, :2]))


def _ellipse(middle: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(24, 2): the outline of an ellipse with this centre and these half axes (2,)."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return middle + np.outer(np.cos(angle), one) + np.outer(np.sin(angle), other)


def _filled(
    photo: np.ndarray,
    outlines: Sequence[np.ndarray],
    colour: Sequence[float] | np.ndarray,
    soft: float,
    opacity: float = 1.0,
) -> np.ndarray:
    """The photo with outlines (N, 2) filled with one colour; `soft` blurs edges, in px."""
    cover = np.zeros(photo.shape[:2], np.float32)
    for outline in outlines:
        cv2.fillPoly(cover, [np.rint(outline).astype(np.int32)], 1.0)
    cover = cv2.GaussianBlur(cover, (0, 0), max(soft, 0.3))[..., None] * opacity
    painted = photo * (1 - cover) + np.asarray(colour, np.float32) * cover
    return np.rint(painted).clip(0, 255).astype(np.uint8)
