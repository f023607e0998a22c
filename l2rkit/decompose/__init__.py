"""Decomposers predict depth, albedo, light and view from a photo."""

from .equivariant import EquivariantDecomposer
from .face_mesh import FaceMeshDecomposer
from .lap import LAPDecomposer
from .lap_robust import RobustLAPDecomposer
from .unsup3d import Unsup3DDecomposer

__all__ = [
    "EquivariantDecomposer",
    "FaceMeshDecomposer",
    "LAPDecomposer",
    "RobustLAPDecomposer",
    "Unsup3DDecomposer",
]
