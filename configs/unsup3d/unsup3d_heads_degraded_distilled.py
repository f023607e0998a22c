"""Unsup3D's networks on bad photos, distilled from `unsup3d_heads_stereo` on good ones.

Ours, and no baseline: the proxy of `l2r_heads`. Its weights are not shipped separately.
"""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.heads_degraded import degraded_pipeline, severe_pipeline
    from .unsup3d_heads_distilled import *

load_from = "work_dirs/unsup3d_heads_degraded/iter_1500.pth"
model["losses"]["teacher"] = dict(
    type=Distillation,
    teachers={"configs/unsup3d/unsup3d_heads_stereo.py": "unsup3d_heads_stereo"},
)
train_dataloader["dataset"]["pipeline"] = degraded_pipeline
val_dataloader["dataset"]["pipeline"] = severe_pipeline
param_scheduler = [dict(type=CosineAnnealingLR, T_max=2500, eta_min=1e-5, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=2500, val_interval=250)
