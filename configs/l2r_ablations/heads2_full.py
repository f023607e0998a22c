"""L2R on heads of version 2 with few steps: the reference of the ablations there.

It starts from the proxy of the shipped `l2r_heads`, whose depth and views it keeps. The teacher is
that of `l2r_heads` and also sees each photo's mirror image.
"""

from mmengine.config import read_base

with read_base():
    from ..l2r.l2r_heads import *
    from .._base_.datasets.heads2_degraded import *  # isort: skip

load_from = "zoo://l2r_heads"
model["losses"]["teacher"].update(mirror=True)
custom_hooks = [average, panels]
# Geometry has learnt on version 1; albedo and light have to learn people's skin.
optim_wrapper["others"]["paramwise_cfg"]["custom_keys"] = {
    "decompose": dict(lr_mult=0.5),
    "decompose.depth": dict(lr_mult=0.0),
    "decompose.view": dict(lr_mult=0.0),
}
train_dataloader.update(batch_size=16)
protocol = "heads 2, 64 px, ablations of L2R"
default_hooks["checkpoint"].update(interval=200, max_keep_ckpts=1)
param_scheduler = [dict(type=MultiStepLR, milestones=[120], gamma=0.2, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=150, val_interval=150)
