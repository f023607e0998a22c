"""Faces made visible."""

from .hook import PanelHook
from .mesh import glb
from .panel import panel

__all__ = ["PanelHook", "glb", "panel"]
