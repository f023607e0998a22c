"""A photo in, a face taken apart out."""

from .lap import LAPDecomposer
from .lap_robust import RobustLAPDecomposer
from .unsup3d import Unsup3DDecomposer

__all__ = ["LAPDecomposer", "RobustLAPDecomposer", "Unsup3DDecomposer"]
