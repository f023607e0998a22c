"""Ablation of `l2r_heads`: LAP, one photo at a time, is the proxy in place of Unsup3D."""

from mmengine.config import read_base

from l2rkit.decompose import LAPDecomposer

with read_base():
    from .l2r_heads import *

load_from = "work_dirs/lap_heads/iter_1350.pth"
model["decompose"] = dict(type=LAPDecomposer, image_size=64, width=16, encoder_width=16)
