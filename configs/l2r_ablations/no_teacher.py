"""L2R without a teacher: geometry is learnt from photos alone."""

from mmengine.config import read_base

with read_base():
    from .full import *

model["losses"].pop("teacher")
