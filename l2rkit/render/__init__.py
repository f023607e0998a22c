"""Faces in, pictures out."""

from .grid import rasterize_grid
from .pytorch3d import rasterize_pytorch3d
from .renderer import GridRenderer, PyTorch3DRenderer, TorchRenderer
from .shading import shade, shading
from .triangles import rasterize_torch
from .warp import normals_in_view

__all__ = [
    "GridRenderer",
    "PyTorch3DRenderer",
    "TorchRenderer",
    "normals_in_view",
    "rasterize_grid",
    "rasterize_pytorch3d",
    "rasterize_torch",
    "shade",
    "shading",
]
