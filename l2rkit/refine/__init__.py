"""Refiners: faces in, better faces out. L2R's, one for all faces, and what others register."""

from .albedo import PriorAlbedo
from .crowd import CommonShape
from .geometry import RefinedGeometry
from .light import FittedLight
from .unwrapped_albedo import UnwrappedAlbedo

__all__ = ["CommonShape", "FittedLight", "PriorAlbedo", "RefinedGeometry", "UnwrappedAlbedo"]
