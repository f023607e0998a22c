"""Unsup3D's networks on bad photos of people, whose shape is held to `unsup3d_heads_stereo`'s.

Ours, and no baseline: the proxy of `l2r_openfaces_images`. Its weights are not shipped separately.
Colours are learnt from the good photo. The relief of `unsup3d_openfaces` has folds that no photo
shows; the teacher was trained on heads only, but its relief is smooth on people, too.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR

from l2rkit.data import Degrade
from l2rkit.losses import Distillation

with read_base():
    from .._base_.datasets.heads_degraded import degradation, degraded_pipeline, severe_pipeline
    from .unsup3d_openfaces import *

load_from = "zoo://unsup3d_openfaces"
model["losses"] = dict(
    photometric=dict(type=Photometric, mirror=0.5),
    perceptual=dict(type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.5),
    teacher=dict(
        type=Distillation,
        teachers={"configs/unsup3d/unsup3d_heads_stereo.py": "unsup3d_heads_stereo"},
        weight=300.0,
        albedo=0.0,  # which photos show, and heads have others
    ),
)
photo_pipeline.insert(-1, dict(type=Degrade, degradation=degradation))
photos["dataset"]["pipeline"] = photo_pipeline
heads["pipeline"] = degraded_pipeline
train_dataloader["dataset"]["datasets"] = [photos, heads]
val_dataloader["dataset"]["pipeline"] = severe_pipeline
optim_wrapper["optimizer"]["lr"] = 5e-4
optim_wrapper["paramwise_cfg"] = None
param_scheduler = [dict(type=CosineAnnealingLR, T_max=1200, eta_min=1e-5, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1200, val_interval=300)
