"""Refiners: faces in, better faces out. L2R's two, and what others register."""

from .albedo import PriorAlbedo
from .geometry import RefinedGeometry

__all__ = ["PriorAlbedo", "RefinedGeometry"]
