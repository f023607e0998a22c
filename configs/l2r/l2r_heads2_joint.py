"""L2R on synthetic heads of version 2 at 64 pixels, for heads that keep their place in the picture.

The first of two stages. It continues the shipped `l2r_heads` of version 1, whose geometry it keeps.
Faces have the right distance from the point about which they turn, and views learn from
`unsup3d_heads2_steady`, which also sees each photo's mirror image. There is no displacement map, as
it changed nothing in the ablations.
"""

from mmengine.config import read_base

from l2rkit.losses import FixedPivot
from l2rkit.refine import DepthLevel

with read_base():
    from .l2r_heads import *
    from .._base_.datasets.heads2_degraded import *  # isort: skip

load_from = "zoo://l2r_heads"
load_only = None
model["refine"] = dict(level=dict(type=DepthLevel, arm=0.064), **model["refine"])
model["refine"]["geometry"].update(displacement=0.0)
model["losses"].pop("displacement")
model["losses"].pop("upright")
model["losses"]["teacher"].update(
    teachers={
        "configs/unsup3d/unsup3d_heads2_steady.py": "work_dirs/unsup3d_heads2_steady/iter_600.pth"
    },
    mirror=True,
)
model["losses"]["cycle"].update(shift=0.003)
model["losses"]["steady"] = dict(type=FixedPivot, weight=0.2)
custom_hooks = [average, panels]
optim_wrapper["others"]["paramwise_cfg"]["custom_keys"] = {
    "decompose": dict(lr_mult=0.5),
    "decompose.depth": dict(lr_mult=0.0),
    "decompose.view": dict(lr_mult=3.0),
    "refine.geometry": dict(lr_mult=0.0),
}
train_dataloader.update(batch_size=16)
default_hooks["checkpoint"].update(interval=200, max_keep_ckpts=1)
param_scheduler = [dict(type=MultiStepLR, milestones=[350], gamma=0.2, by_epoch=False)]
train_cfg.update(max_iters=450, val_interval=100)
