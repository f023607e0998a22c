"""Refiners return better faces: those of L2R, and two that move the depth of all faces."""

from .albedo import PriorAlbedo
from .depth_level import DepthLevel
from .geometry import RefinedGeometry
from .light import FittedLight, UnlitAlbedo
from .shared_depth import SharedDepthOffset
from .unwrapped_albedo import UnwrappedAlbedo

__all__ = [
    "DepthLevel",
    "FittedLight",
    "PriorAlbedo",
    "RefinedGeometry",
    "SharedDepthOffset",
    "UnlitAlbedo",
    "UnwrappedAlbedo",
]
