"""Ablation of `l2r_heads`: depth moves, but there is no displacement map."""

from mmengine.config import read_base

with read_base():
    from .l2r_heads import *

model["refine"]["geometry"]["displacement"] = 0.0
model["losses"].pop("displacement")
