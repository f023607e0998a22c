"""A photo in, a face taken apart out."""

from .lap import LAPDecomposer
from .unsup3d import Unsup3DDecomposer

__all__ = ["LAPDecomposer", "Unsup3DDecomposer"]
