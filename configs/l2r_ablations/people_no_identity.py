"""L2R for people without the identity loss."""

from mmengine.config import read_base

with read_base():
    from .people_full import *

del model["losses"]["identity"]
