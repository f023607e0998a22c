"""Faces in, pictures out."""

from .grid import rasterize_grid
from .renderer import GridRenderer
from .shading import shade, shading

__all__ = ["GridRenderer", "rasterize_grid", "shade", "shading"]
