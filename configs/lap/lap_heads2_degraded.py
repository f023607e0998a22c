"""LAP for bad photos of heads of version 2: `lap_heads2` continued, as `lap_heads_degraded` is.

Each photo of a set is degraded independently; losses compare with the clean ones.
"""

from mmengine.config import read_base

with read_base():
    from .lap_heads2 import *
    from .lap_heads_degraded import degraded_pipeline, for_one_bad, model  # noqa: F401

load_from = "zoo://lap_heads2"
train_dataloader["dataset"]["pipeline"] = degraded_pipeline
val_dataloader["dataset"]["pipeline"] = for_one_bad
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=50, by_epoch=False),
    dict(type=MultiStepLR, milestones=[480], gamma=0.33, by_epoch=False),
]
train_cfg.update(max_iters=600)
