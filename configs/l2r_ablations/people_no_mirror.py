"""L2R for people without the mirror image of the unwrapped photo."""

from mmengine.config import read_base

with read_base():
    from .people_full import *

model["refine"]["albedo"]["mirror"] = False
