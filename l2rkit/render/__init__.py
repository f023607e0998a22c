"""Renderers: pictures of faces."""

from .grid import rasterize_grid
from .pytorch3d import rasterize_pytorch3d
from .renderer import GridRenderer, PyTorch3DRenderer, TorchRenderer, TritonRenderer
from .shading import shade, shading
from .triangles import rasterize_torch
from .triton import rasterize_triton
from .warp import normals_in_view

__all__ = [
    "GridRenderer",
    "PyTorch3DRenderer",
    "TorchRenderer",
    "TritonRenderer",
    "normals_in_view",
    "rasterize_grid",
    "rasterize_pytorch3d",
    "rasterize_torch",
    "rasterize_triton",
    "shade",
    "shading",
]
