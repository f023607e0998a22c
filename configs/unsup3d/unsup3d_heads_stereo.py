"""`unsup3d_heads_distilled` with the shape that all its faces share set right by their shading.

Ours, and no baseline. Nothing is trained by gradients through networks;
`tools/builders/photometric_stereo.py` makes its weights of those of `unsup3d_heads_distilled`.
"""

from mmengine.config import read_base

from l2rkit.refine import SharedDepthOffset

with read_base():
    from .unsup3d_heads_distilled import *

model["refine"] = dict(common=dict(type=SharedDepthOffset, size=64))
