"""Refiners: faces in, better faces out. L2R's two, one for all faces, and what others register."""

from .albedo import PriorAlbedo
from .crowd import CommonShape
from .geometry import RefinedGeometry
from .unwrapped_albedo import UnwrappedAlbedo

__all__ = ["CommonShape", "PriorAlbedo", "RefinedGeometry", "UnwrappedAlbedo"]
