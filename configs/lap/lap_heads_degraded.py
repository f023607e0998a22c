"""LAP for bad photos: `lap_heads` continued.

Each photo of a set is degraded independently; losses compare with the clean ones. The model learns
to weight the photos of a set. A baseline of methods for bad photos (ours), like
`unsup3d_heads_degraded`.
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR, MultiStepLR
from mmengine.runner import IterBasedTrainLoop

from l2rkit.losses import ShiftEquivariance

with read_base():
    from .._base_.datasets.heads_degraded import degraded_pipeline, severe_pipeline
    from .lap_heads import *

load_from = "work_dirs/lap_heads/iter_1350.pth"
model["losses"]["cycle"] = dict(
    type=CycleConsistency, share=0.25, yaw_deg=50.0, pitch_deg=10.0, shift=0.008
)
model["losses"]["moved"] = dict(type=ShiftEquivariance, share=0.25)
custom_hooks = [
    dict(
        type=Schedule,
        changes={
            # Fixed at first, as the shipped weights have no confidence network.
            "losses.photometric.scale": {0: 0.15, 200: None},
            "losses.perceptual.scale": {0: 0.15, 200: None},
        },
    ),
    average,
    panels,
]
train_dataloader["dataset"]["pipeline"] = degraded_pipeline
for_one_bad = [dict(type=EachAlone), *severe_pipeline]
val_dataloader["dataset"]["pipeline"] = for_one_bad
train_dataloader["sampler"] = dict(type=PersonSampler, photos=(4, 2, 1, 1), seed=0)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type=MultiStepLR, milestones=[1200], gamma=0.33, by_epoch=False),
]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1500, val_interval=300)
