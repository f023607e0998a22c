"""Procedural albedo of a head, as a function of the position on the mean head.

Painting per pixel in mean-head coordinates keeps brows and irises sharp at any image size, and
moves them with the skin.
"""

from dataclasses import dataclass

import numpy as np

from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.heads.noise import noise
from l2rkit.data.heads.person import Person

EYE_WHITE, TOOTH = np.float32([0.86, 0.83, 0.81]), np.float32([0.86, 0.82, 0.74])
TONGUE, MOUTH = np.float32([0.62, 0.28, 0.28]), np.float32([0.30, 0.10, 0.10])
IRIS_RADIUS, PUPIL_RADIUS = 0.066, 0.027  # dm on the mean head
# The hairline on the mean head: hair is above y (dm, down) at each z (dm, away).
HAIRLINE_Z = np.array([-0.60, -0.45, -0.25, -0.02, 0.12, 0.26, 0.45, 1.0, 1.5])
HAIRLINE_Y = np.array([-0.98, -0.92, -0.70, -0.45, -0.10, -0.05, 0.35, 0.70, 0.75])


@dataclass(frozen=True)
class Surface:
    """P visible points: their positions on the mean head, and the model's labels there."""

    rest: np.ndarray  # (P, 3) dm
    part: np.ndarray  # (P,) 0 skin, 1 eye, 2 teeth, 3 tongue
    openness: np.ndarray  # (P,)
    lips: np.ndarray  # (P,) and so on, the model's masks
    eyelids: np.ndarray
    ears: np.ndarray
    inside_mouth: np.ndarray


def paint(surface: Surface, person: Person, model: HeadModel) -> np.ndarray:
    """(P, 3): the albedo in [0, 1] of the surface's points."""
    colour = _skin(surface, person)
    colour = _blend(colour, _stubble_colour(person), 0.85 * beard_cover(surface, person))
    colour = _blend(colour, person.lips, surface.lips)
    colour = _blend(colour, person.hair * 0.35, 0.8 * _lashes(surface.rest, model.eye))
    colour = _blend(colour, person.brow, brow_cover(surface.rest, person, model.eye))
    hair = hair_cover(surface.rest, person) * (1 - surface.ears)
    strands = 1 + 0.22 * noise(surface.rest * np.float32([6, 1, 2]), 4.0, person.shift)
    colour = _blend(colour, person.hair * strands[:, None], hair * (1 - person.baldness))
    colour = _blend(colour, person.shirt, _step(surface.rest[:, 1], 1.22, 1.28))
    colour = _blend(colour, MOUTH, surface.inside_mouth)
    eye = surface.part == 1
    colour[eye] = _eye(surface.rest[eye], person, model.eye)
    colour[surface.part == 2] = TOOTH
    colour[surface.part == 3] = TONGUE
    return (colour * _cavity(surface)[:, None]).clip(0, 1)


def hair_cover(rest: np.ndarray, person: Person) -> np.ndarray:
    """(P,): 0 bare skin .. 1 hair, at mean-head coordinates (P, 3) in dm."""
    line = _interpolated(rest[:, 2], HAIRLINE_Z, HAIRLINE_Y) + person.hairline
    ragged = 0.05 * noise(rest, 5.0, person.shift) + 0.03 * noise(rest, 17.0, person.shift)
    return _step(line - rest[:, 1] + ragged, -0.04, 0.06)


def beard_cover(surface: Surface, person: Person) -> np.ndarray:
    """(P,): 0..1, cover of the beard on moustache, chin and jaw, times person.beard."""
    x, y, z = np.abs(surface.rest[:, 0]), surface.rest[:, 1], surface.rest[:, 2]
    top = _interpolated(x, [0, 0.12, 0.30, 0.5, 0.75], [0.20, 0.20, 0.26, 0.16, -0.1])
    region = _step(y, top, top + 0.10) * _step(-y, -0.86, -0.70) * _step(-z, -0.35, -0.15)
    grain = 1 + 0.35 * noise(surface.rest, 24.0, person.shift)
    return (person.beard * region * grain * (1 - surface.lips)).clip(0, 1)


def brow_cover(rest: np.ndarray, person: Person, eye: np.ndarray) -> np.ndarray:
    """(P,): 0..1, cover of the eyebrows, arcs above the eyes that thin out at the temples."""
    along = (np.abs(rest[:, 0]) - (eye[0] - 0.20)) / 0.46  # 0 at the nose, 1 at the temple
    arch = 0.225 + person.brow_height + 0.06 * (1 - (1.6 * along - 1) ** 2)
    height = eye[1] - rest[:, 1] - arch  # dm above the brow's middle
    half = person.brow_thickness * _interpolated(along, [0, 0.25, 0.6, 1], [0.8, 1, 0.8, 0.25])
    ends = _step(along, -0.06, 0.08) * _step(-along, -1.05, -0.85)
    bristle = 1 + 0.3 * noise(rest * np.float32([1, 0.6, 1]), 26.0, person.shift)
    cover = (1 - _step(np.abs(height), half * 0.5, half * 1.3)) * ends * bristle
    return (person.brow_strength * cover * (rest[:, 2] < 0)).clip(0, 1)


def _skin(surface, person):
    rest, side = surface.rest, _one_side(surface.rest)
    slow = noise(side, 2.2, person.shift) + 0.4 * noise(rest, 4.5, person.shift + 7)
    fine = noise(rest, 22.0, person.shift + 3)
    colour = person.skin * (1 + person.mottle * slow + 0.025 * fine)[:, None]
    red = _spot(side, [0.42, 0.12, -0.30], 0.22) + _spot(side, [0, 0.10, -0.65], 0.16)
    red = person.flush * (red + 0.6 * surface.ears).clip(0, 1)
    colour = colour * (1 - red[:, None] * np.float32([0.0, 0.20, 0.17]))
    under_eye = _spot(side, [0.28, -0.02, -0.33], 0.10)
    colour = colour * (1 - 0.16 * (under_eye + 0.7 * surface.eyelids).clip(0, 1))[:, None]
    if person.freckles:
        where = _spot(side, [0.25, 0.02, -0.45], 0.35) + _spot(side, [0, -0.5, -0.5], 0.2)
        dots = _step(noise(rest, 30.0, person.shift + 11), 0.35, 0.65)
        colour = colour * (
            1 - (person.freckles * where * dots)[:, None] * np.float32([0.16, 0.26, 0.30])
        )
    return colour


def _eye(rest, person, eye):
    radius = np.hypot(np.abs(rest[:, 0]) - eye[0], rest[:, 1] - eye[1])
    streaks = 1 + 0.25 * noise(rest, 60.0, person.shift)
    ring = 1 - 0.55 * _step(radius, 0.70 * IRIS_RADIUS, IRIS_RADIUS)
    iris = person.iris * (1.15 * streaks * ring)[:, None]
    colour = _blend(iris, EYE_WHITE, _step(radius, IRIS_RADIUS - 0.006, IRIS_RADIUS + 0.006))
    colour = _blend(
        np.full(3, 0.02, np.float32), colour, _step(radius, PUPIL_RADIUS - 4e-3, PUPIL_RADIUS)
    )
    return colour * (0.80 + 0.20 * _step(rest[:, 1] - eye[1], -0.10, 0.0))[:, None]


def _lashes(rest, eye):
    """(P,): 0..1, the rims of the lids, by the distance from the eyeball; stronger above."""
    offset = _one_side(rest) - eye[:3]
    distance = np.sqrt(np.einsum("pc,pc->p", offset, offset))
    rim = 1 - _step(distance, 1.04 * eye[3], 1.14 * eye[3])
    return rim * np.where(offset[:, 1] < 0, np.float32(1), np.float32(0.25)) * (rest[:, 2] < eye[2])


def _cavity(surface):
    """(P,): factor of the colour, small in nostrils, lid folds and behind the ears."""
    return 0.30 + 0.70 * _step(surface.openness, 0.08, 0.52)


def _stubble_colour(person):
    return 0.8 * person.hair + 0.1 * person.skin


def _one_side(points):
    """(P, 3): points with |x|, for symmetric painting."""
    return np.column_stack([np.abs(points[:, 0]), points[:, 1:]])


def _spot(points, centre, radius):
    away = points - np.float32(centre)
    return np.exp(np.einsum("pc,pc->p", away, away) * np.float32(-0.5 / radius**2))


def _interpolated(value, knots, heights):
    return np.interp(value, knots, heights).astype(np.float32)


def _step(value, low, high):
    """A smooth step from 0 (below low) to 1 (above high)."""
    t = ((value - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def _blend(under, over, cover):
    return under + (np.asarray(over, np.float32) - under) * cover[:, None]
