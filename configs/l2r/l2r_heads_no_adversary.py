"""Ablation of `l2r_heads`: no adversary."""

from mmengine.config import read_base
from mmengine.optim import OptimWrapper

with read_base():
    from .l2r_heads import *

model.pop("adversary")
optim_wrapper = dict(type=OptimWrapper, **optim_wrapper["others"])
