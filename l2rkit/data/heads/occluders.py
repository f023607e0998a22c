"""Procedural occluders of faces: glasses, hair over the face, beards, hats.

A `Shell` is a layer some mm off the head, with a map of its opacity. A `Part` is a separate mesh
that moves with the head.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from l2rkit.data.heads.atlas import texels
from l2rkit.data.heads.head_model import HeadModel, to_scene
from l2rkit.data.heads.noise import noise
from l2rkit.data.heads.person import Person
from l2rkit.data.heads.skins import Skin

# Probabilities for men and for others.
ODDS = {"glasses": (0.12, 0.12), "hair": (0.08, 0.35), "beard": (0.15, 0.0), "hat": (0.08, 0.08)}
SIDES = 8  # of the tubes of glasses


@dataclass(frozen=True)
class Shell:
    """A layer `thickness` (V,) dm off the head; colour (T, T, 3), opacity `cover` (T, T) 0..1."""

    kind: str
    thickness: np.ndarray
    colour: np.ndarray
    cover: np.ndarray


@dataclass(frozen=True)
class Part:
    """A mesh fixed to the head: points (P, 3) in scene units, in the frame of the placed mean head.

    triangles (T, 3); colour (T, 3) and opacity (T,) per triangle; gloss: strength of highlights.
    """

    kind: str
    points: np.ndarray
    triangles: np.ndarray
    colour: np.ndarray
    opacity: np.ndarray
    gloss: float


Occluder = Shell | Part


def random_occluders(
    model: HeadModel, rng: np.random.Generator, skin: Skin, person: Person, male: bool, side: int
) -> tuple[Occluder, ...]:
    """The random occluders of a person, the same in all photos."""
    draws = {kind: rng.random() for kind in ODDS}
    seeds = rng.integers(2**32, size=len(ODDS))
    makers = dict(glasses=glasses, hair=fringe, beard=beard, hat=hat)
    tone = hair_colour(skin, person)
    return tuple(
        makers[kind](model, np.random.default_rng(seed), tone, side)
        for (kind, odds), seed in zip(ODDS.items(), seeds)
        if draws[kind] < odds[0 if male else 1]
    )


def hair_colour(skin: Skin, person: Person) -> np.ndarray:
    """(3,): the mean colour of the skin texture's hair if there is enough, else the person's."""
    amount = skin.hair.sum()
    if amount < 0.01 * skin.hair.size:
        return person.hair.astype(np.float32)
    return (skin.colour * skin.hair[..., None]).sum((0, 1)) / amount


def beard(model: HeadModel, rng: np.random.Generator, tone: np.ndarray, side: int) -> Shell:
    """A beard of 3 to 12 mm, from moustache and chin only to a full one."""
    rest = _rest(side)
    x, y, z = np.abs(rest[..., 0]), rest[..., 1], rest[..., 2]
    reach = rng.uniform(0.25, 0.8)
    top = np.interp(x, [0, 0.12, 0.26, 0.45, 0.7], [0.27, 0.28, 0.38, 0.28, -0.10])
    area = _step(y, top, top + 0.12) * _step(-x, -reach - 0.1, -reach) * _step(-y, -1.0, -0.8)
    lips = np.exp(-((x / 0.24) ** 4) - ((y - 0.47) / 0.085) ** 4)
    area = area * (1 - lips) * _step(-z, -0.30, -0.1)
    strands = _strands(side, rng, (3, 1, 2))
    cover = _step(area + 0.5 * strands * _step(area, 0.0, 0.3), 0.25, 0.85)
    colour = (0.9 * tone) * (1 + 0.45 * strands[..., None])
    at = model.mean
    amount = np.interp(np.abs(at[:, 0]), [0, 0.12, 0.26, 0.45, 0.7], [0.30, 0.30, 0.4, 0.22, -0.15])
    thick = rng.uniform(0.03, 0.12) * _step(at[:, 1], amount, amount + 0.2)
    return Shell("beard", thick.astype(np.float32), _colour(colour), cover.astype(np.float32))


def fringe(model: HeadModel, rng: np.random.Generator, tone: np.ndarray, side: int) -> Shell:
    """Hair around the face and mostly over the forehead, with a parting and random length."""
    rest = _rest(side)
    x, y = rest[..., 0], rest[..., 1]
    parting = rng.uniform(-0.4, 0.4)
    brow = rng.uniform(-0.65, -0.30) if rng.random() < 0.6 else rng.uniform(-0.85, -0.72)
    long = rng.random() < 0.5
    low = brow - 0.25 * np.exp(-(((x - parting) / 0.15) ** 2))
    low = np.where(np.abs(x) > 0.55, (1.3 if long else 0.05), low)
    low = cv2.GaussianBlur(low.astype(np.float32), (0, 0), side / 80)
    strands = _strands(side, rng, (4, 0.6, 4))
    cover = _step(low - y + 0.10 * strands, -0.03, 0.05)
    colour = tone * (1 + 0.5 * strands[..., None])
    at = model.mean
    thick = np.float32(rng.uniform(0.04, 0.12)) * _step(0.9 - at[:, 1], -0.2, 0.5)
    thick = thick + 0.08 * _step(np.abs(at[:, 0]), 0.6, 0.8)
    thick = thick * (1 + 0.3 * np.sin(at[:, 0] * 17 + rng.uniform(0, 6)))
    return Shell("hair", thick.astype(np.float32), _colour(colour), cover.astype(np.float32))


def hat(model: HeadModel, rng: np.random.Generator, tone: np.ndarray, side: int) -> Shell:
    """A knitted cap or scarf of one colour, with a random lower edge."""
    rest = _rest(side)
    y, z = rest[..., 1], rest[..., 2]
    edge = rng.uniform(-0.78, -0.55)
    line = edge + rng.uniform(0.2, 0.5) * np.clip(z + 0.5, 0, 1.2)
    cover = _step(line - y, -0.012, 0.012)
    dye = rng.uniform(0.05, 0.75) + rng.uniform(-0.25, 0.25, 3) * rng.random()
    ribs = np.sin(np.arctan2(rest[..., 0], 0.55 - z) * rng.integers(40, 110))
    grain = noise(rest.reshape(-1, 3), 25.0, rng.uniform(0, 32, 3)).reshape(side, side)
    hem = 1 - 0.25 * np.exp(-(((line - y - 0.16) / 0.02) ** 2))
    colour = dye * ((1 + 0.10 * ribs + 0.10 * grain) * hem)[..., None]
    at = model.mean
    thick = np.full(len(at), rng.uniform(0.06, 0.16), np.float32)
    return Shell("hat", thick, _colour(colour), cover.astype(np.float32))


def glasses(model: HeadModel, rng: np.random.Generator, tone: np.ndarray, side: int) -> Part:
    """Glasses: two rims, a bridge, two temples, clear or dark lenses."""
    eye = model.eye
    width, height = rng.uniform(0.21, 0.27), rng.uniform(0.13, 0.22)
    roundness, tube = rng.uniform(2.0, 4.5), rng.uniform(0.008, 0.024)
    middle = np.array([eye[0] + 0.01, eye[1] + rng.uniform(0.0, 0.05), eye[2] - 0.27])
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    ring = np.column_stack([
        width * np.sign(c) * np.abs(c) ** (2 / roundness),
        height * np.sign(s) * np.abs(s) ** (2 / roundness),
        0.10 * ((width * c + width) / (2 * width)) ** 2,  # the outer half bends back
    ])  # fmt: skip
    frame = rng.uniform(0.02, 0.35, 3) * (1 if rng.random() < 0.4 else 0.3)
    dark = rng.random() < 0.25
    lens = rng.uniform(0.02, 0.12, 3) if dark else np.array([0.85, 0.9, 0.95])
    opacity = rng.uniform(0.75, 0.97) if dark else 0.08
    meshes = []
    for sign in (-1, 1):
        flip = np.array([sign, 1, 1])
        rim = (ring + middle) * flip
        meshes.append((*_tube(rim, tube, closed=True), frame, 1.0))
        fan = np.column_stack([np.arange(40), (np.arange(40) + 1) % 40, np.full(40, 40)])
        meshes.append((np.vstack([rim, rim.mean(0)]), fan, lens, opacity))
        outer = (middle + np.array([width, -0.3 * height, 0.10])) * flip
        ear = np.array([0.75, eye[1] - 0.02, 0.45]) * flip
        meshes.append((*_tube(np.linspace(outer, ear, 6), tube, closed=False), frame, 1.0))
    inner = middle - [width, 0.25 * height, 0]
    bridge = np.array([inner, inner * [0, 1, 1] - [0, 0.03, 0.03], inner * [-1, 1, 1]])
    meshes.append((*_tube(bridge, tube, closed=False), frame, 1.0))
    return _part("glasses", meshes, gloss=0.35)


def _part(kind, meshes, gloss):
    counts = np.cumsum([0] + [len(points) for points, *_ in meshes])
    triangles = np.concatenate([t + n for (_, t, *_), n in zip(meshes, counts)])
    colour = np.concatenate([np.tile(c, (len(t), 1)) for _, t, c, _ in meshes])
    opacity = np.concatenate([np.full(len(t), o) for _, t, _, o in meshes])
    points = to_scene(np.concatenate([points for points, *_ in meshes]).astype(np.float32))
    return Part(
        kind, points.astype(np.float32), triangles.astype(np.int32),
        colour.astype(np.float32), opacity.astype(np.float32), gloss,
    )  # fmt: skip


def _tube(line, radius, closed):
    """Points (P, 3) and triangles (T, 3) of a tube around a line (N, 3)."""
    count = len(line)
    along = np.roll(line, -1, 0) - np.roll(line, 1, 0)
    if not closed:
        along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    aside = np.cross(along, [0.13, 0.31, 0.94])
    aside = aside / np.linalg.norm(aside, axis=1, keepdims=True)
    up = np.cross(along, aside)
    turn = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)[None, :, None]
    points = line[:, None] + radius * (np.cos(turn) * aside[:, None] + np.sin(turn) * up[:, None])
    rows, columns = np.mgrid[: count if closed else count - 1, :SIDES]
    a = rows * SIDES + columns
    b = rows * SIDES + (columns + 1) % SIDES
    c, d = ((row + SIDES) % (count * SIDES) for row in (a, b))
    quads = [(a, b, c), (b, d, c)]
    triangles = np.concatenate([np.stack(q, -1).reshape(-1, 3) for q in quads])
    return points.reshape(-1, 3), triangles


@lru_cache(maxsize=4)
def _rest(side):
    return cv2.resize(texels().rest, (side, side), interpolation=cv2.INTER_AREA)


def _strands(side, rng, scale):
    """(side, side), about [-1, 1]: noise of long thin strands that run down the head."""
    points, shift = _rest(side).reshape(-1, 3), rng.uniform(0, 32, 3)
    wavy = points + np.float32(0.05) * noise(points, 4.0, shift)[:, None]
    fine = noise(wavy * np.float32(scale), 9.0, shift)
    return (0.7 * fine + 0.5 * noise(wavy * np.float32(scale), 3.0, shift)).reshape(side, side)


def _colour(values):
    return np.asarray(values).clip(0, 1).astype(np.float32)


def _step(value, low, high):
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
