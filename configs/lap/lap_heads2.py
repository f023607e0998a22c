"""LAP on synthetic heads of version 2: `lap_heads` continued on them.

It has the settings of the end of that training. Its own weights are shipped.
"""

from mmengine.config import read_base

with read_base():
    from .lap_heads import *
    from .._base_.datasets.heads2 import *  # isort: skip

load_from = "work_dirs/lap_heads/iter_1350.pth"
custom_hooks = [average, panels]  # no Schedule: photos have faces of their own from the start
train_dataloader.update(batch_size=32)
train_dataloader["sampler"] = dict(type=PersonSampler, photos=(4, 2, 1, 1), seed=0)
val_dataloader["dataset"]["pipeline"] = for_one
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=50, by_epoch=False),
    dict(type=MultiStepLR, milestones=[320], gamma=0.33, by_epoch=False),
]
default_hooks["checkpoint"].update(interval=200, max_keep_ckpts=1)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=400, val_interval=200)
