"""`unsup3d_heads2_aligned` continued with bad photos, losses on the good ones: for old prints, too.

It has seen heads only. Faces turned further than heads are rendered for the cycle consistency.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.heads_degraded import degraded_pipeline, severe_pipeline
    from .unsup3d_heads2_aligned import *

load_from = "work_dirs/unsup3d_heads2_aligned/iter_1600.pth"
model["losses"]["cycle"].update(yaw_deg=65.0)
train_dataloader["dataset"]["pipeline"] = degraded_pipeline
val_dataloader["dataset"]["pipeline"] = severe_pipeline
param_scheduler = [dict(type=MultiStepLR, milestones=[400], gamma=0.33, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=500, val_interval=250)
