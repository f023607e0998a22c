"""Faces made visible."""

from .hook import PanelHook
from .mesh import glb
from .panel import panel
from .turntable import gif, turntable

__all__ = ["PanelHook", "gif", "glb", "panel", "turntable"]
