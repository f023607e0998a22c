"""L2R on synthetic heads of version 2 at 64 pixels, trained on a CPU.

The parts are those of `l2r_heads`; prior and teacher are still those of version 1. The proxy,
`unsup3d_heads2_degraded`, has had no teacher yet, so it is trained on, with all parts from the
first step, which was best in the ablations.
"""

from mmengine.config import read_base

with read_base():
    from .l2r_heads import *
    from .._base_.datasets.heads2_degraded import *  # isort: skip

load_from = "work_dirs/unsup3d_heads2_degraded/iter_500.pth"
model["losses"]["teacher"].update(weight=30.0)
custom_hooks = [average, panels]
optim_wrapper["others"]["paramwise_cfg"]["custom_keys"]["decompose"]["lr_mult"] = 0.5
train_dataloader.update(batch_size=16)
default_hooks["checkpoint"].update(interval=200, max_keep_ckpts=1)
param_scheduler = [dict(type=MultiStepLR, milestones=[320], gamma=0.33, by_epoch=False)]
train_cfg.update(max_iters=400, val_interval=200)
