"""L2R with all parts trained from the first step."""

from mmengine.config import read_base

with read_base():
    from .full import *

custom_hooks = [average, panels]
