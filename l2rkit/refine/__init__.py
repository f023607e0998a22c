"""Refiners return better faces: those of L2R, and one that moves the depth of all faces."""

from .albedo import PriorAlbedo
from .geometry import RefinedGeometry
from .light import FittedLight
from .shared_depth import SharedDepthOffset
from .unwrapped_albedo import UnwrappedAlbedo

__all__ = ["FittedLight", "PriorAlbedo", "RefinedGeometry", "SharedDepthOffset", "UnwrappedAlbedo"]
