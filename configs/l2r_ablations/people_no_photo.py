"""L2R for people whose albedo does not see the photo, only the proxy."""

from mmengine.config import read_base

with read_base():
    from .people_full import *

model["refine"]["albedo"]["fidelity"] = 0.0
