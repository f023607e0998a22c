"""Ablation of `l2r_heads`: everything learns from the beginning."""

from mmengine.config import read_base
from mmengine.hooks import EMAHook

from l2rkit.viz import PanelHook

with read_base():
    from .l2r_heads import *

custom_hooks = [dict(type=EMAHook, momentum=0.004), dict(type=PanelHook, interval=300)]
