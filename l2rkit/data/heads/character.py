"""Random people of version 2: shape, textures and occluders.

Two thirds have photographic skin, mixed from two portraits of the split; the others have painted
skin as in version 1. Equal generator states give the same person.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from l2rkit.data.heads.albedo import Surface, hair_cover, paint
from l2rkit.data.heads.atlas import EYE, TEXTURE, eye_texels, skin_uv, texels
from l2rkit.data.heads.head_model import SCALE, HeadModel, to_scene
from l2rkit.data.heads.noise import noise
from l2rkit.data.heads.occluders import Occluder, random_occluders
from l2rkit.data.heads.person import SIDE_SPREAD, USUAL, Person, random_person
from l2rkit.data.heads.relief import height_of, painted_height
from l2rkit.data.heads.skins import REGIONS, Skin, Skins, mixed, mixed_shape, recoloured
from l2rkit.render.mesh_raster import vertex_normals

PAINTED = 1 / 3  # share of people with painted skin
WIDER = 0.7  # share of USUAL added to the fitted coefficients, which opens the eyes wider
VARIATION = 0.15  # standard deviation of random changes of a portrait's shape coefficients


@dataclass(frozen=True)
class Character:
    """A person: head (V, 3) in scene units, neutral; skin, and its height (T, T) in mm.

    age: 0 young .. 1 old, the depth of folds; gloss: strength of highlights; portraits: numbers of
    the portraits in the skin, none if it is painted.
    """

    head: np.ndarray
    skin: Skin
    height: np.ndarray
    shirt: np.ndarray
    age: float
    gloss: float
    portraits: tuple[int, ...]
    occluders: tuple[Occluder, ...]


def texture_side(image_size: int) -> int:
    """The textures' side in px for pictures of `image_size` px."""
    return TEXTURE if image_size > 64 else TEXTURE // 2


def random_character(
    model: HeadModel, rng: np.random.Generator, split: str, side: int
) -> Character:
    """A random person, with portraits of `split` only; textures are `side` px wide."""
    painted = rng.random() < PAINTED
    person = random_person(model, rng)  # always, so that later draws are the same
    age, gloss = float(rng.uniform(0.1, 1)), float(rng.uniform(0.02, 0.10))
    if painted:
        skin = painted_skin(model, person, side)
        height = painted_height(skin, age, _noises(side, rng))
        coefficients, numbers = dict(shape=person.shape, macro=person.macro), ()
        volume = person.volume * (1 - person.baldness)
        manly = ["-male-" in name and "child" not in name for name in model.macro_names]
        male = bool(person.macro[manly].sum() > 0.5)
    else:
        skins = Skins.load()
        numbers = skins.pair(split, rng)
        chosen = tuple(name for name in REGIONS if rng.random() < 0.5)
        skin = mixed(*(skins.skin(number, side) for number in numbers), chosen)
        skin = recoloured(skin, rng)
        height, skin = height_of(skin)
        shape = mixed_shape(model, skins, *numbers, chosen) + _variation(model, rng)
        coefficients = dict(shape=shape, macro=skins.macro[numbers[0]])
        volume = abs(rng.normal(0.04, 0.05))
        male = "_male_" in str(skins.person[numbers[0]])
    weight = person.weight if painted else skins.weight[numbers[0]]
    head = placed_head(model, coefficients | dict(weight=weight), skin, volume)
    occluders = random_occluders(model, rng, skin, person, male, side)
    return Character(head, skin, height, person.shirt, age, gloss, numbers, occluders)


def placed_head(
    model: HeadModel, coefficients: dict[str, np.ndarray], skin: Skin, volume: float
) -> np.ndarray:
    """(V, 3) scene units: the head, its face at the mean head's, hair `volume` dm off the head."""
    head = model.vertices(**coefficients)
    face = model.masks["face"] / model.masks["face"].sum()
    head = head + face @ (to_scene(model.mean) - head)
    uv = (skin_uv(model.mean) * len(skin.hair) - 0.5).astype(np.float32)
    cover = cv2.remap(skin.hair, uv[None, :, 0], uv[None, :, 1], cv2.INTER_LINEAR)[0]
    cover = cover * (1 - model.masks["ears"]) * (model.part == 0)
    high = np.clip((0.2 - model.mean[:, 1]) / 0.6, 0, 1)  # 0 at the nape
    normals = vertex_normals(head, model.triangles)
    return head + SCALE * (volume * cover * high)[:, None].astype(np.float32) * normals


def painted_skin(model: HeadModel, person: Person, side: int) -> Skin:
    """Skin textures, `side` px wide, painted as in version 1."""
    surface, eyes = _surfaces(side)
    colour = paint(surface, person, model).reshape(side, side, 3)
    eye = EYE * side // TEXTURE
    hair = hair_cover(surface.rest, person) * (1 - surface.ears) * (1 - person.baldness)
    return Skin(
        colour=colour.astype(np.float32),
        eyes=paint(eyes, person, model).reshape(eye, 2 * eye, 3).astype(np.float32),
        hair=hair.reshape(side, side).astype(np.float32),
    )


@lru_cache(maxsize=4)
def _surfaces(side):
    """Surfaces of skin and eyes for `paint`, one point per texel."""
    known, model = texels(), HeadModel.load()

    def small(values):
        return cv2.resize(values, (side, side), interpolation=cv2.INTER_AREA)

    rest = small(known.rest).reshape(-1, 3)
    names = ("lips", "eyelids", "ears")
    masks = {name.replace("-", "_"): small(known.masks[name]).ravel() for name in names}
    nothing = np.zeros(side * side, np.float32)
    open_skin = np.maximum(small(known.openness), 0.3).ravel()
    skin = Surface(rest, np.zeros(len(rest), int), open_skin, inside_mouth=nothing, **masks)
    eye = EYE * side // TEXTURE
    rest = cv2.resize(eye_texels(model), (2 * eye, eye), interpolation=cv2.INTER_AREA)
    rest = rest.reshape(-1, 3)
    nothing, one = np.zeros(len(rest), np.float32), np.ones(len(rest), np.float32)
    return skin, Surface(rest, np.ones(len(rest), int), one, *[nothing] * 4)


def _variation(model, rng):
    """(S,): N(WIDER * USUAL, VARIATION), left and right modes almost equal."""
    usual = np.array([USUAL.get(name, 0.0) for name in model.shape_names])
    drawn = rng.normal(WIDER * usual, VARIATION)
    left = np.minimum(np.arange(len(drawn)), model.shape_mirror)
    apart = rng.normal(0, SIDE_SPREAD, len(drawn)) * (left != model.shape_mirror[left])
    return drawn[left] + apart


def _noises(side, rng):
    """Noise for pores, lines across the face and strands of hair: (side, side), about [-1, 1]."""
    points, shift = _surfaces(side)[0].rest, rng.uniform(0, 32, 3)
    pores = noise(points, 40.0, shift)
    lines = noise(points * np.float32([1, 4, 1]), 5.0, shift + 5)
    strands = noise(points * np.float32([6, 1, 2]), 6.0, shift + 9)
    return tuple(each.reshape(side, side) for each in (pores, lines, strands))
