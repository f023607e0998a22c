"""L2R on synthetic heads of version 2 at 64 pixels: `l2r_heads` continued, its shape kept.

It starts from the shipped weights of version 1. The proxy's depth and view stay as they are, so
shape is better than that of `l2r_heads2`, and identity worse. The teacher also sees each photo's
mirror image.
"""

from mmengine.config import read_base

with read_base():
    from .l2r_heads import *
    from .._base_.datasets.heads2_degraded import *  # isort: skip

load_from = "zoo://l2r_heads"
load_only = None
model["losses"]["teacher"].update(mirror=True)
custom_hooks = [average, panels]
# Geometry has learnt on version 1; albedo and light have to learn people's skin.
optim_wrapper["others"]["paramwise_cfg"]["custom_keys"] = {
    "decompose": dict(lr_mult=0.5),
    "decompose.depth": dict(lr_mult=0.0),
    "decompose.view": dict(lr_mult=0.0),
    "refine.geometry": dict(lr_mult=0.25),
}
train_dataloader.update(batch_size=16)
default_hooks["checkpoint"].update(interval=200, max_keep_ckpts=1)
param_scheduler = [dict(type=MultiStepLR, milestones=[280], gamma=0.2, by_epoch=False)]
train_cfg.update(max_iters=400, val_interval=100)
