"""Unsup3D for bad photos: `unsup3d_heads` continued.

Photos are degraded, losses compare with the good ones. It is the baseline of methods for bad
photos (ours), and the proxy of the ablations of L2R.
"""

from mmengine.config import read_base
from mmengine.optim import MultiStepLR
from mmengine.runner import IterBasedTrainLoop

with read_base():
    from .._base_.datasets.heads_degraded import degraded_pipeline, severe_pipeline
    from .unsup3d_heads import *

load_from = "work_dirs/unsup3d_heads/iter_4200.pth"
custom_hooks = [dict(type=PanelHook, interval=300)]
train_dataloader["dataset"]["pipeline"] = degraded_pipeline
val_dataloader["dataset"]["pipeline"] = severe_pipeline
param_scheduler = [dict(type=MultiStepLR, milestones=[1200], gamma=0.33, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1500, val_interval=300)
