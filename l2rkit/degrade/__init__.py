"""Degradations of photos."""

from .blur import GaussianBlur, GeneralisedGaussianBlur, MotionBlur, PlateauBlur, SincBlur
from .colour import ColourJitter, ColourShift, Faded, Greyscale
from .combine import Compose, RandomApply, RandomChoice, RandomOrder
from .degradation import Degradation
from .jpeg import Jpeg
from .levels import LEVELS, DegradationLevel
from .noise import GaussianNoise, PoissonNoise
from .recipes import RECIPES, DegradationRecipe
from .shrink import DownUpsample, Resized

__all__ = [
    "LEVELS",
    "RECIPES",
    "ColourJitter",
    "ColourShift",
    "Compose",
    "Degradation",
    "DegradationLevel",
    "DegradationRecipe",
    "DownUpsample",
    "Faded",
    "GaussianBlur",
    "GaussianNoise",
    "GeneralisedGaussianBlur",
    "Greyscale",
    "Jpeg",
    "MotionBlur",
    "PlateauBlur",
    "PoissonNoise",
    "RandomApply",
    "RandomChoice",
    "RandomOrder",
    "Resized",
    "SincBlur",
]
