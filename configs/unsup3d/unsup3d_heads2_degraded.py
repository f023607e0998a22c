"""Unsup3D that learns to see through bad photos of heads of version 2. Not trained yet.

`unsup3d_heads2` trained on, as `unsup3d_heads_degraded` does with version 1.
"""

from mmengine.config import read_base
from mmengine.optim import MultiStepLR
from mmengine.runner import IterBasedTrainLoop

with read_base():
    from .._base_.datasets.heads_degraded import degraded_pipeline, severe_pipeline
    from .unsup3d_heads2 import *

load_from = "work_dirs/unsup3d_heads2/iter_4200.pth"
custom_hooks = [dict(type=PanelHook, interval=300)]
train_dataloader["dataset"]["pipeline"] = degraded_pipeline
val_dataloader["dataset"]["pipeline"] = severe_pipeline
param_scheduler = [dict(type=MultiStepLR, milestones=[1200], gamma=0.33, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1500, val_interval=300)
