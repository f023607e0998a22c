"""Refiners: faces in, better faces out. L2R's, one for all faces, and what others register."""

from .albedo import PriorAlbedo
from .geometry import RefinedGeometry
from .light import FittedLight
from .shared_depth import SharedDepthOffset
from .unwrapped_albedo import UnwrappedAlbedo

__all__ = ["FittedLight", "PriorAlbedo", "RefinedGeometry", "SharedDepthOffset", "UnwrappedAlbedo"]
