"""What makes a photo bad."""

from .blur import GaussianBlur, GeneralisedGaussianBlur, MotionBlur, PlateauBlur, SincBlur
from .colour import ColourJitter, ColourShift, Faded, Greyscale
from .combine import Chain, Maybe, OneOf, RandomOrder
from .degradation import Degradation
from .jpeg import Jpeg
from .levels import LEVELS, Level
from .noise import GaussianNoise, PoissonNoise
from .recipes import RECIPES, Recipe
from .shrink import Resized, Shrunk

__all__ = [
    "LEVELS",
    "RECIPES",
    "Chain",
    "ColourJitter",
    "ColourShift",
    "Degradation",
    "Faded",
    "GaussianBlur",
    "GaussianNoise",
    "GeneralisedGaussianBlur",
    "Greyscale",
    "Jpeg",
    "Level",
    "Maybe",
    "MotionBlur",
    "OneOf",
    "PlateauBlur",
    "PoissonNoise",
    "RandomOrder",
    "Recipe",
    "Resized",
    "Shrunk",
    "SincBlur",
]
