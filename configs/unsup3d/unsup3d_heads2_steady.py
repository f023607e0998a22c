"""`unsup3d_heads_stereo` on heads of version 2, which keep their place in the picture.

Ours, and no baseline: the teacher of `l2r_heads2`. Unsup3D's views are too small: a part of
each turn is taken for a translation, as faces are too near to the point about which they turn. Here
faces have the right distance and translations are small, and neither renderings nor photos are
shifted, so the place of a head tells its turn. Relief stays as it is; all else learns.
"""

from mmengine.config import read_base

from l2rkit.losses import FixedPivot
from l2rkit.refine import DepthLevel, SharedDepthOffset

with read_base():
    from .unsup3d_heads2 import *

load_from = "zoo://unsup3d_heads_stereo"
model["refine"] = dict(common=dict(type=SharedDepthOffset, size=64), level=dict(type=DepthLevel))
model["losses"].pop("moved")
model["losses"].pop("upright")
model["losses"]["cycle"].update(shift=0.003)
model["losses"]["steady"] = dict(type=FixedPivot)
custom_hooks = [
    dict(
        type=Schedule,
        changes={
            # Fixed at first, as these weights have not learnt confidence.
            "losses.photometric.scale": {0: 0.15, 200: None},
            "losses.perceptual.scale": {0: 0.15, 200: None},
            # Translations are held to zero at first, and then what photos want counts more.
            "losses.steady.weight": {0: 0.2, 200: 0.03},
        },
    ),
    average,
    panels,
]
optim_wrapper["paramwise_cfg"]["custom_keys"] = {
    "decompose.view": dict(lr_mult=3.0),
    "decompose.depth": dict(lr_mult=0.0),
    "refine": dict(lr_mult=0.0),
}
