"""Unsup3D on synthetic heads of version 2: `unsup3d_heads` continued on them.

Nothing is trained from scratch on version 2. Its own weights are shipped.
"""

from mmengine.config import read_base

with read_base():
    from .unsup3d_heads import *
    from .._base_.datasets.heads2 import *  # isort: skip

load_from = "work_dirs/unsup3d_heads/iter_4200.pth"
custom_hooks = [average, panels]  # no Schedule: these weights have learnt confidence
train_dataloader.update(batch_size=32)
param_scheduler = [dict(type=MultiStepLR, milestones=[480], gamma=0.33, by_epoch=False)]
default_hooks["checkpoint"].update(interval=200, max_keep_ckpts=1)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=600, val_interval=300)
