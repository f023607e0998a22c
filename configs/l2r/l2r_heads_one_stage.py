"""Ablation of `l2r_heads`: everything learns from the beginning."""

from mmengine.config import read_base

with read_base():
    from .l2r_heads import *

custom_hooks.pop(0)  # Stages
