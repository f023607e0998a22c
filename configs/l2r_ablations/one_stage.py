"""L2R whose parts all learn from the beginning."""

from mmengine.config import read_base

with read_base():
    from .full import *

custom_hooks.pop(0)  # Stages
