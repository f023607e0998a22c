"""L2R on heads of version 2 without an adversary."""

from mmengine.config import read_base

from l2rkit.engine import GuardedOptimWrapper

with read_base():
    from .heads2_full import *

model.pop("adversary")
optim_wrapper = dict(type=GuardedOptimWrapper, **optim_wrapper["others"])
