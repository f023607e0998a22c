"""Fine geometry of skin: wrinkles, folds and pores, as heights over a head's smooth surface.

Heights are in mm of a face that is about 150 mm high, positive outwards. Details that are darker
than their surroundings, of a wrinkle's width, are assumed to be grooves. This is right for wrinkles
and wrong for freckles, and excludes brows and lips.
"""

from functools import lru_cache

import cv2
import numpy as np

from l2rkit.data.heads.atlas import TEXTURE, texels
from l2rkit.data.heads.head_model import SCALE, HeadModel
from l2rkit.data.heads.skins import Skin

MM = SCALE / 100  # scene units: a decimetre of the model has 100 mm
DEEPEST, HIGHEST = -0.6, 0.5  # mm
# Bands of the logarithm of brightness: blurs in texels of TEXTURE, slope, height in mm.
BANDS = ((0.0, 1.0, 8.0, 0.09), (1.0, 3.0, 6.0, 0.28), (3.0, 8.0, 3.5, 0.38))
FLATTENED = 0.5  # share of a band that is removed from the albedo, as shading adds it again
# A fold: points (|x|, y) in dm on the mean head, half width in dm, actions that deepen it.
SMILE, BROWS = ("mouthSmile", "cheekSquint", "noseSneer"), ("browInnerUp", "browOuterUp")
FOLDS = (
    (((0.17, 0.10), (0.25, 0.24), (0.33, 0.40), (0.37, 0.52)), 0.022, SMILE),
    (((0.17, -0.09), (0.30, -0.05), (0.42, -0.10)), 0.014, ("cheekSquint", "eyeSquint")),
    (((0.47, -0.20), (0.60, -0.30)), 0.012, ("mouthSmile", "eyeSquint")),
    (((0.48, -0.18), (0.63, -0.20)), 0.012, ("mouthSmile", "eyeSquint")),
    (((0.47, -0.16), (0.60, -0.09)), 0.012, ("mouthSmile", "eyeSquint")),
    (((0.0, -0.58), (0.25, -0.60), (0.45, -0.55)), 0.018, BROWS),
    (((0.0, -0.67), (0.25, -0.69), (0.45, -0.64)), 0.018, BROWS),
    (((0.0, -0.76), (0.25, -0.78), (0.42, -0.74)), 0.018, BROWS),
    (((0.06, -0.46), (0.05, -0.30)), 0.014, ("browDown",)),
)
FOLD_DEPTH = 0.5  # mm at full action of an old face


def height_of(skin: Skin) -> tuple[np.ndarray, Skin]:
    """(T, T): heights in mm of a photographed skin; and the skin with less of their shading."""
    side = len(skin.colour)
    step = side / TEXTURE
    grey = np.log(skin.colour.mean(-1).clip(0.02, 1))
    height, shade = np.zeros_like(grey), np.zeros_like(grey)
    for narrow, wide, slope, most in BANDS:
        fine = cv2.GaussianBlur(grey, (0, 0), narrow * step) if narrow else grey
        band = fine - cv2.GaussianBlur(grey, (0, 0), wide * step)
        height += most * np.tanh(slope * band)
        shade += band
    bare = bare_skin(side)
    kept = bare + skin.hair * (1 - bare) * 0.5
    colour = skin.colour * np.exp(-FLATTENED * shade * bare * (1 - skin.hair))[..., None]
    return bounded(height * kept), Skin(colour.clip(0, 1), skin.eyes, skin.hair)


def painted_height(skin: Skin, age: float, noises: tuple[np.ndarray, ...]) -> np.ndarray:
    """(T, T): heights in mm of a painted skin: pores, and lines that grow with age (0..1)."""
    side = len(skin.colour)
    pores, lines, strands = noises
    lasting = np.zeros((side, side), np.float32)
    for fold in folds(side):
        lasting += fold[0] + fold[1]
    fine = 0.06 * pores - 0.25 * age * np.maximum(lines - 0.4, 0)
    height = (fine - 0.3 * age * np.minimum(lasting, 1)) * bare_skin(side)
    return bounded(height + 0.3 * strands * skin.hair)


def expression_height(action: np.ndarray, age: float, side: int, model: HeadModel) -> np.ndarray:
    """(T, T): heights in mm that facial actions (52,) add at an age (0..1)."""
    height = np.zeros((side, side), np.float32)
    strength = FOLD_DEPTH * (0.4 + 0.6 * age)
    for (_, _, actions), sides in zip(FOLDS, folds(side)):
        for cover, end in zip(sides, ("Left", "Right")):
            names = [n for name in actions for n in (name, name + end) if n in model.action_names]
            amount = max(float(action[model.action_names.index(name)]) for name in names)
            if amount > 0.02:
                height -= strength * min(amount, 1.0) * cover
    return height


def bounded(height: np.ndarray) -> np.ndarray:
    """The heights, limited to DEEPEST..HIGHEST mm."""
    return height.clip(DEEPEST, HIGHEST).astype(np.float32)


@lru_cache(maxsize=4)
def folds(side: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """For each of FOLDS: masks (side, side) in [0, 1] of the person's left and right half."""
    rest = cv2.resize(texels().rest, (side, side), interpolation=cv2.INTER_AREA)
    front = 0.5 - 0.5 * np.tanh((rest[..., 2] - 0.1) * 15)
    maps = []
    for points, half, _ in FOLDS:
        away = _distance(np.stack([np.abs(rest[..., 0]), rest[..., 1]], -1), points)
        cover = (np.exp(-((away / half) ** 2)) * front).astype(np.float32)
        of_left = 0.5 + 0.5 * np.tanh(rest[..., 0] * 30)  # the person's left: x > 0
        halves = cover * of_left, cover * (1 - of_left)
        maps.append(tuple(half.astype(np.float32) for half in halves))
    return tuple(maps)


@lru_cache(maxsize=4)
def bare_skin(side: int) -> np.ndarray:
    """(side, side): 1 on skin, 0 on brows, lids' rims, lips, nostrils and the back of the head."""
    rest = cv2.resize(texels().rest, (side, side), interpolation=cv2.INTER_AREA)
    x, y, z = np.abs(rest[..., 0]), rest[..., 1], rest[..., 2]
    brow = np.exp(-(((x - 0.30) / 0.26) ** 4) - ((y + 0.43) / 0.085) ** 4)
    eye = np.exp(-(((x - 0.30) / 0.19) ** 4) - ((y + 0.215) / 0.085) ** 4)
    mouth = np.exp(-((x / 0.28) ** 4) - ((y - 0.47) / 0.12) ** 4)
    nostril = np.exp(-((x / 0.18) ** 4) - ((y - 0.27) / 0.06) ** 4)
    off = np.maximum.reduce([brow, eye, 0.7 * mouth, nostril])
    return ((1 - off) * np.clip((0.7 - z) / 0.3, 0, 1)).astype(np.float32)


def _distance(points, line):
    """(...): distance of points (..., 2) from a polyline."""
    nearest = np.full(points.shape[:-1], np.inf)
    for start, end in zip(np.array(line), np.array(line)[1:]):
        along = end - start
        share = ((points - start) @ along / (along @ along)).clip(0, 1)
        off = points - start - share[..., None] * along
        nearest = np.minimum(nearest, np.sqrt((off**2).sum(-1)))
    return nearest
