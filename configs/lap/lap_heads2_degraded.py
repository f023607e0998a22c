"""LAP for bad photos of heads of version 2: `lap_heads_degraded` continued.

It has the schedule of `lap_heads2`. Each photo of a set is degraded independently; losses compare
with the clean ones.
"""

from mmengine.config import read_base

with read_base():
    from .lap_heads2 import *
    from .lap_heads_degraded import degraded_pipeline, for_one_bad, model  # noqa: F401

load_from = "work_dirs/lap_heads_degraded/iter_1500.pth"
train_dataloader["dataset"]["pipeline"] = degraded_pipeline
val_dataloader["dataset"]["pipeline"] = for_one_bad
