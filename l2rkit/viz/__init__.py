"""Faces made visible."""

from .hook import PanelHook, Progress
from .mesh import glb
from .panel import panel
from .turntable import gif, turntable

__all__ = ["PanelHook", "Progress", "gif", "glb", "panel", "turntable"]
