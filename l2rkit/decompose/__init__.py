"""A photo in, a face taken apart out."""

from .unsup3d import Unsup3DDecomposer

__all__ = ["Unsup3DDecomposer"]
