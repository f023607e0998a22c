"""`unsup3d_heads_distilled` plus a depth offset common to all faces, found from their shading.

Ours, and no baseline. No network is trained: `tools/builders/photometric_stereo.py` makes its
weights from those of `unsup3d_heads_distilled`.
"""

from mmengine.config import read_base

from l2rkit.refine import SharedDepthOffset

with read_base():
    from .unsup3d_heads_distilled import *

model["refine"] = dict(common=dict(type=SharedDepthOffset, size=64))
