"""L2R whose adversary sees faces in their own view only, and is told no view."""

from mmengine.config import read_base

with read_base():
    from .full import *

model["adversary"]["turned"] = False
model["adversary"]["discriminator"]["condition"] = 0
