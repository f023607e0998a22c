"""L2R for people without an adversary."""

from mmengine.config import read_base

with read_base():
    from .people_full import *

model["adversary"] = None
optim_wrapper = dict(type=GuardedOptimWrapper, **optim_wrapper["others"])
