"""`unsup3d_heads_taught` with the shape that all its faces share set right by their shading.

Ours, and no baseline. Nothing is trained by gradients through networks;
`tools/builders/crowd_stereo.py` makes its weights of those of `unsup3d_heads_taught`.
"""

from mmengine.config import read_base

from l2rkit.refine import CommonShape

with read_base():
    from .unsup3d_heads_taught import *

model["refine"] = dict(common=dict(type=CommonShape, size=64))
