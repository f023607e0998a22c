"""L2R without an adversary."""

from mmengine.config import read_base

from l2rkit.engine import GuardedOptimWrapper

with read_base():
    from .full import *

model.pop("adversary")
optim_wrapper = dict(type=GuardedOptimWrapper, **optim_wrapper["others"])
