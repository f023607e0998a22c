"""Faces made visible."""

from .hook import GridHook, PanelHook, Progress
from .mesh import glb
from .panel import panel
from .sheet import beside, nearest, sheet
from .turntable import gif, turntable

__all__ = [
    "GridHook",
    "PanelHook",
    "Progress",
    "beside",
    "gif",
    "glb",
    "nearest",
    "panel",
    "sheet",
    "turntable",
]
