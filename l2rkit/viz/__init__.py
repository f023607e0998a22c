"""Visualization: panels, sheets, turntables, meshes, pasting, and hooks that draw them."""

from .board import BoardHook
from .contact import contact_sheet
from .formats import glb
from .hook import GridHook, PanelHook, Progress
from .mesh import mesh_of
from .panel import panel
from .paste import pasted
from .sheet import beside, nearest, sheet
from .turntable import gif, relit, turntable

__all__ = [
    "BoardHook",
    "GridHook",
    "PanelHook",
    "Progress",
    "beside",
    "contact_sheet",
    "gif",
    "glb",
    "mesh_of",
    "nearest",
    "panel",
    "pasted",
    "relit",
    "sheet",
    "turntable",
]
