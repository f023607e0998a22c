"""L2R on heads of version 2 whose depth moves, but without a displacement map."""

from mmengine.config import read_base

with read_base():
    from .heads2_full import *

model["refine"]["geometry"]["displacement"] = 0.0
model["losses"].pop("displacement")
