"""L2R on synthetic heads of version 2 at 64 pixels, with a teacher for heads that keep their place.

It continues the shipped `l2r_heads` of version 1, with all parts from the first step. The teacher,
`unsup3d_heads2_steady`, also sees each photo's mirror image. There is no displacement map, as it
changed nothing in the ablations.
"""

from mmengine.config import read_base

from l2rkit.losses import FixedPivot

with read_base():
    from .l2r_heads import *
    from .._base_.datasets.heads2_degraded import *  # isort: skip

load_from = "zoo://l2r_heads"
load_only = None
model["refine"]["geometry"].update(displacement=0.0)
model["losses"].pop("displacement")
model["losses"]["teacher"].update(
    teachers={
        "configs/unsup3d/unsup3d_heads2_steady.py": "work_dirs/unsup3d_heads2_steady/iter_600.pth"
    },
    mirror=True,
)
model["losses"]["cycle"].update(shift=0.003)
model["losses"]["steady"] = dict(type=FixedPivot, weight=0.2)
custom_hooks = [average, panels]
optim_wrapper["others"].pop("paramwise_cfg")
train_dataloader.update(batch_size=16)
default_hooks["checkpoint"].update(interval=200, max_keep_ckpts=1)
param_scheduler = [dict(type=MultiStepLR, milestones=[400], gamma=0.2, by_epoch=False)]
train_cfg.update(max_iters=500, val_interval=100)
