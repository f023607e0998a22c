"""Photographic skin textures, and mixtures of two of them.

tools/builders/build_head_skins.py made their file, whose `source` has the source and licence (CC0).
Portraits keep the split of their person: heads of a split use that split's portraits only.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np

from l2rkit.data.heads.atlas import EYE, TEXTURE, texels
from l2rkit.data.heads.head_model import HeadModel

ASSET = Path(__file__).with_name("head_skins.npz")
REGIONS = {  # centre (|x|, y) and radii in dm on the mean head
    "eyes": ((0.30, -0.30), (0.30, 0.20)),
    "nose": ((0.0, 0.05), (0.22, 0.32)),
    "mouth": ((0.0, 0.55), (0.42, 0.28)),
    "cheeks": ((0.55, 0.20), (0.30, 0.40)),
    "forehead": ((0.0, -0.72), (0.65, 0.25)),
}
ALIKE = 0.3  # the second of a pair is one of this share of portraits with the most similar tone
OF_REGION = {  # prefixes of the shape modes of a region
    "eyes": ("eye", "eyebrows"),
    "nose": ("nose",),
    "mouth": ("mouth", "chin"),
    "cheeks": ("cheek",),
    "forehead": ("forehead",),
}


@dataclass(frozen=True)
class Skin:
    """The textures of a head; T is the texture's side, E the side of an eye's patch.

    colour (T, T, 3) and eyes (E, 2 E, 3): RGB in [0, 1]; hair (T, T): 0 skin .. 1 hair.
    """

    colour: np.ndarray
    eyes: np.ndarray
    hair: np.ndarray


@dataclass(frozen=True)
class Skins:
    """N portraits: their splits and names, coded pictures, and coefficients of the head model."""

    split: np.ndarray  # (N,) str
    person: np.ndarray  # (N,) str
    shape: np.ndarray  # (N, S)
    macro: np.ndarray  # (N, 18)
    weight: np.ndarray  # (N, 4)
    atlas: tuple[np.ndarray, ...]  # N JPEG files
    hair: tuple[np.ndarray, ...]  # N PNG files, 0..15

    @staticmethod
    @lru_cache(maxsize=1)
    def load(path: Path = ASSET) -> "Skins":
        """The shipped skins, read once per process."""
        with np.load(path) as file:
            arrays = dict(file)
        coded = {
            name: tuple(np.split(arrays[name], arrays[f"{name}_ends"][:-1]))
            for name in ("atlas", "hair")
        }
        plain = {name: arrays[name].astype(np.float32) for name in ("shape", "macro", "weight")}
        return Skins(split=arrays["split"], person=arrays["person"], **plain, **coded)

    def of_split(self, split: str) -> np.ndarray:
        """The numbers of the portraits of a split."""
        return np.flatnonzero(self.split == split)

    @cached_property
    def tone(self) -> np.ndarray:
        """(N, 3): logarithms of the mean colour of each portrait's cheeks."""
        side = TEXTURE // 2
        found = [_tone(self.skin(number, side)) for number in range(len(self.split))]
        return np.log(np.array(found).clip(1e-3))

    def pair(self, split: str, rng: np.random.Generator) -> tuple[int, int]:
        """The numbers of two different portraits of a split with similar tones."""
        own = self.of_split(split)
        first = rng.choice(own)
        others = own[own != first]
        away = np.abs(self.tone[others] - self.tone[first]).sum(1)
        near = others[np.argsort(away, kind="stable")[: max(2, round(ALIKE * len(others)))]]
        return int(first), int(rng.choice(near))

    def skin(self, number: int, side: int) -> Skin:
        """The skin of one portrait, with a texture `side` px wide: TEXTURE or half of it."""
        reduced = cv2.IMREAD_COLOR if side == TEXTURE else cv2.IMREAD_REDUCED_COLOR_2
        atlas = cv2.imdecode(self.atlas[number], reduced)[..., ::-1].astype(np.float32) / 255
        eye = EYE * side // TEXTURE
        hair = cv2.imdecode(self.hair[number], cv2.IMREAD_GRAYSCALE).astype(np.float32) / 15
        return Skin(
            colour=atlas[:side],
            eyes=atlas[side : side + eye, : 2 * eye],
            hair=cv2.resize(hair, (side, side), interpolation=cv2.INTER_LINEAR),
        )


@lru_cache(maxsize=4)
def regions(side: int) -> dict[str, np.ndarray]:
    """{region: soft mask (side, side) in [0, 1]}; the masks sum to 1 at most."""
    rest = cv2.resize(texels().rest, (side, side), interpolation=cv2.INTER_AREA)
    x, y, front = np.abs(rest[..., 0]), rest[..., 1], (rest[..., 2] < 0.25)
    bells = {}
    for name, ((cx, cy), (rx, ry)) in REGIONS.items():
        away = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2
        bells[name] = np.exp(-(away**2) / 1.5) * front
    total = np.maximum(sum(bells.values()), 1.0)
    return {name: (bell / total).astype(np.float32) for name, bell in bells.items()}


def mixed(first: Skin, second: Skin, chosen: tuple[str, ...]) -> Skin:
    """`first` with the `chosen` REGIONS of `second`, in the tone of the first."""
    side = len(first.colour)
    masks = regions(side)
    gain = (_tone(first) / np.maximum(_tone(second), 1e-3)).clip(0.25, 4).astype(np.float32)
    share = sum((masks[name] for name in chosen), np.zeros_like(first.hair))
    share = share * (1 - first.hair) * (1 - second.hair)
    colour = first.colour + share[..., None] * (second.colour * gain - first.colour)
    eyes = second.eyes if "eyes" in chosen else first.eyes
    return Skin(colour.clip(0, 1), eyes, first.hair)


def _tone(skin):
    """(3,): the mean colour of the cheeks."""
    cheeks = regions(len(skin.hair))["cheeks"] * (1 - skin.hair)
    return (skin.colour * cheeks[..., None]).sum((0, 1)) / max(cheeks.sum(), 1e-3)


def mixed_shape(
    model: HeadModel, skins: Skins, first: int, second: int, chosen: tuple[str, ...]
) -> np.ndarray:
    """(S,): shape coefficients of portrait `first`, and of `second` in the chosen regions."""
    names = [name.removeprefix("l-").removeprefix("r-") for name in model.shape_names]
    begin = tuple(start for region in chosen for start in OF_REGION[region])
    taken = np.array([name.startswith(begin) for name in names])
    return np.where(taken, skins.shape[second], skins.shape[first])


def recoloured(skin: Skin, rng: np.random.Generator) -> Skin:
    """The skin with a slight random tint, stronger for hair, and mirrored with probability 1/2."""
    tint = np.exp(rng.normal(0, 0.07) + rng.normal(0, 0.02, 3)).astype(np.float32)
    hair = np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.04, 3)).astype(np.float32)
    colour = skin.colour * (tint + skin.hair[..., None] * (hair - tint))
    eyes, cover = skin.eyes, skin.hair
    if rng.random() < 0.5:
        turned = (each[:, ::-1] for each in (colour, eyes, cover))
        colour, eyes, cover = map(np.ascontiguousarray, turned)
    return Skin(colour.clip(0, 1), eyes, cover)
