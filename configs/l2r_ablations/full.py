"""L2R with all its parts and few steps: the reference of the ablations."""

from mmengine.config import read_base

with read_base():
    from ..l2r.l2r_heads import *

load_from = (
    "work_dirs/unsup3d_heads_degraded/iter_1500.pth"  # whose geometry has had no teacher yet
)
model["losses"]["teacher"]["weight"] = 30.0
optim_wrapper["others"]["paramwise_cfg"]["custom_keys"]["decompose"]["lr_mult"] = 0.5
protocol = "heads, 64 px, ablations of L2R"
stages["stages"] = {
    0: ["refine.albedo"],
    100: ["refine.geometry"],
    200: ["decompose", "refine.albedo", "refine.geometry"],
}
custom_hooks = [stages, average, panels]
param_scheduler = [dict(type=MultiStepLR, milestones=[270], gamma=0.33, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=300, val_interval=300)
