"""Unsup3D for bad photos of heads of version 2: `unsup3d_heads2` continued.

Photos are degraded, losses compare with the good ones, as in `unsup3d_heads_degraded`. It is the
baseline for bad photos.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.heads_degraded import degraded_pipeline, severe_pipeline
    from .unsup3d_heads2 import *

load_from = "zoo://unsup3d_heads2"
train_dataloader["dataset"]["pipeline"] = degraded_pipeline
val_dataloader["dataset"]["pipeline"] = severe_pipeline
param_scheduler = [dict(type=MultiStepLR, milestones=[400], gamma=0.33, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=500, val_interval=250)
