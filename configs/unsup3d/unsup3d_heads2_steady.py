"""`unsup3d_heads_stereo` continued on heads of version 2, which keep their place in the picture.

Ours, and no baseline: the teacher of `l2r_heads2_kept`. Unsup3D's views are too small: it takes a
part of each turn for a translation. Here translations are small, and neither renderings nor photos
are shifted, so the place of a head tells its turn. The common depth offset stays as it is.
"""

from mmengine.config import read_base

from l2rkit.losses import FixedPivot
from l2rkit.refine import SharedDepthOffset

with read_base():
    from .unsup3d_heads2 import *
    from .unsup3d_heads import custom_hooks  # isort: skip  # noqa: F401  (confidence must learn)

load_from = "zoo://unsup3d_heads_stereo"
model["refine"] = dict(common=dict(type=SharedDepthOffset, size=64))
model["losses"].pop("moved")
model["losses"]["cycle"].update(shift=0.003)
model["losses"]["steady"] = dict(type=FixedPivot, weight=0.2, arm=0.064)
optim_wrapper["paramwise_cfg"]["custom_keys"]["refine"] = dict(lr_mult=0.0)
