"""L2R without an adversary."""

from mmengine.config import read_base
from mmengine.optim import OptimWrapper

with read_base():
    from .full import *

model.pop("adversary")
optim_wrapper = dict(type=OptimWrapper, **optim_wrapper["others"])
