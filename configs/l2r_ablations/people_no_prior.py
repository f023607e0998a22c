"""L2R for people without a GAN prior."""

from mmengine.config import read_base

with read_base():
    from .people_full import *

model["refine"]["albedo"]["prior"] = None
