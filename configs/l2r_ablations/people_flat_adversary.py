"""L2R for people with a 2D adversary: faces in their own view, without a pose condition."""

from mmengine.config import read_base

with read_base():
    from .people_full import *

model["adversary"]["turned"] = False
model["adversary"]["discriminator"]["condition"] = 0
