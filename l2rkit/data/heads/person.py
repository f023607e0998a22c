"""Random people of version 1: shape and colours, the same in every picture of a person."""

from dataclasses import dataclass

import numpy as np

from l2rkit.data.heads.head_model import HeadModel

SHAPE_SPREAD = 0.3  # standard deviation of the shape coefficients
SIDE_SPREAD = 0.06  # standard deviation of what a left and a right mode each have of their own
USUAL = {"l-eye-scale": 0.3, "l-eye-height2": 0.35}  # means; the model's own eyes are half closed
SKIN = np.array(  # sRGB, light to dark
    [
        [0.93, 0.76, 0.68],
        [0.88, 0.69, 0.58],
        [0.81, 0.60, 0.47],
        [0.70, 0.49, 0.36],
        [0.56, 0.37, 0.26],
        [0.42, 0.27, 0.19],
        [0.29, 0.19, 0.14],
    ]
)
HAIR = np.array(  # black, dark brown, brown, chestnut, blond, red, grey
    [
        [0.07, 0.06, 0.06],
        [0.15, 0.10, 0.07],
        [0.25, 0.16, 0.10],
        [0.36, 0.21, 0.12],
        [0.66, 0.51, 0.31],
        [0.50, 0.22, 0.10],
        [0.58, 0.57, 0.56],
    ]
)
IRIS = np.float32(  # brown, dark brown, hazel, green, blue, grey
    [
        [0.25, 0.13, 0.06],
        [0.13, 0.07, 0.04],
        [0.38, 0.27, 0.12],
        [0.28, 0.36, 0.20],
        [0.25, 0.42, 0.60],
        [0.42, 0.48, 0.52],
    ]
)


@dataclass(frozen=True)
class Person:
    """Coefficients of the head model, and the parameters of `paint`; colours sRGB in [0, 1]."""

    shape: np.ndarray  # (S,)
    macro: np.ndarray  # (18,) sums to 1
    weight: np.ndarray  # (4,)
    skin: np.ndarray  # (3,)
    lips: np.ndarray  # (3,)
    hair: np.ndarray  # (3,)
    brow: np.ndarray  # (3,)
    iris: np.ndarray  # (3,)
    shirt: np.ndarray  # (3,)
    hairline: float  # dm, lower (+) or higher (-) than usual
    volume: float  # dm of hair off the head; 0 is close-cropped
    baldness: float  # 0 full hair, 1 bare skin
    brow_thickness: float  # dm, half
    brow_height: float  # dm above the usual
    brow_strength: float  # 0..1
    flush: float  # 0..1 redness of cheeks, nose and ears
    freckles: float  # 0..1
    beard: float  # 0 shaven, 1 full
    mottle: float  # strength of slow colour changes
    shift: np.ndarray  # (3,) offset of this person's skin in the noise


def random_person(model: HeadModel, rng: np.random.Generator) -> Person:
    """A random person; equal generator states give the same person."""
    male = float(rng.beta(0.5, 0.5))
    race = rng.dirichlet([0.5, 0.5, 0.5])
    age = rng.dirichlet([0.25, 1.0, 0.6])  # child, young, old
    old = age[2] / (age[1] + age[2] + 1e-9)
    darkness = _darkness(race, rng)
    skin = _along(SKIN, darkness * (len(SKIN) - 1)) * rng.normal(1, 0.015, 3)
    hair = _hair(darkness, old, rng)
    manly = male * (1 - age[0])
    return Person(
        shape=_shape(model, rng),
        macro=(race[:, None, None] * np.array([1 - male, male])[:, None] * age).ravel(),
        weight=np.outer([1 - male, male], [1 - old, old]).ravel() * rng.normal(0, 0.5),
        skin=skin.clip(0.05, 0.95).astype(np.float32),
        lips=_lips(skin, male, rng),
        hair=hair,
        brow=(0.75 * hair + 0.12 * skin).clip(0, 1).astype(np.float32),
        iris=IRIS[_pick(rng, [5, 4, 2, 1, 2, 1] if darkness < 0.45 else [3, 7, 1, 0, 0, 0])],
        shirt=rng.uniform(0.05, 0.9, 3).astype(np.float32),
        hairline=float(rng.normal(0.08, 0.12) - 0.15 * manly * old),
        volume=abs(rng.normal(0.05, 0.06)),
        baldness=float(rng.uniform(0.6, 1) if rng.random() < 0.25 * manly else 0),
        brow_thickness=float(rng.uniform(0.032, 0.05) + 0.012 * male),
        brow_height=rng.normal(0, 0.018),
        brow_strength=rng.uniform(0.6, 0.95),
        flush=rng.uniform(0.1, 0.7),
        freckles=float(rng.uniform(0.3, 1) if darkness < 0.4 and rng.random() < 0.25 else 0),
        beard=float(rng.uniform(0.15, 1) ** 1.5 if rng.random() < 0.6 * manly else 0),
        mottle=rng.uniform(0.03, 0.09),
        shift=rng.uniform(0, 32, 3),
    )


def _shape(model, rng):
    """(S,): N(USUAL, SHAPE_SPREAD), left and right modes almost equal."""
    usual = np.array([USUAL.get(name, 0.0) for name in model.shape_names])
    drawn = rng.normal(usual, SHAPE_SPREAD)
    left = np.minimum(np.arange(len(drawn)), model.shape_mirror)
    return drawn[left] + rng.normal(0, SIDE_SPREAD, len(drawn)) * (left != model.shape_mirror[left])


def _darkness(race, rng):
    """0..1: darkness of the skin, from the mix of the model's race macros."""
    return float(np.clip(race @ [0.72, 0.28, 0.12] + rng.normal(0, 0.13), 0, 1))


def _hair(darkness, old, rng):
    odds = [2, 4, 4, 3, 3, 1, 0.3] if darkness < 0.35 else [8, 3, 0.5, 0.2, 0.1, 0.1, 0.2]
    colour = HAIR[_pick(rng, odds)]
    grey = np.clip(old * 1.6 - 0.5 + rng.normal(0, 0.25), 0, 0.9)
    return ((1 - grey) * colour + grey * HAIR[-1]).clip(0, 1).astype(np.float32) * np.float32(
        rng.uniform(0.85, 1.15)
    )


def _lips(skin, male, rng):
    natural = skin * [0.86, 0.66, 0.68] + [0.03, 0, 0.02]
    stick = np.array([rng.uniform(0.5, 0.8), rng.uniform(0.1, 0.3), rng.uniform(0.15, 0.35)])
    amount = rng.uniform(0.3, 0.8) if rng.random() < 0.5 * (1 - male) else 0.0
    return ((1 - amount) * natural + amount * stick).clip(0, 1).astype(np.float32)


def _along(palette, position):
    """The colour at a fractional row of a palette (K, 3)."""
    rows = np.arange(len(palette))
    return np.array([np.interp(position, rows, column) for column in palette.T])


def _pick(rng, odds):
    odds = np.asarray(odds, float)
    return rng.choice(len(odds), p=odds / odds.sum())
