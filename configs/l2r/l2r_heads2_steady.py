"""L2R on synthetic heads of version 2 at 64 pixels: `l2r_heads2_joint`, its views trained on.

Views take many more photos than the rest, so they alone learn here, with larger batches.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR

from l2rkit.engine import GuardedOptimWrapper, Stages

with read_base():
    from .l2r_heads2_joint import *

load_from = "work_dirs/l2r_heads2_joint/iter_450.pth"
model.pop("adversary")
for other in ("photometric", "perceptual", "albedo", "cycle"):
    model["losses"].pop(other)
rest = [f"decompose.{name}" for name in ("depth", "albedo", "light", "confidence")] + ["refine"]
# The rest would begin to learn after the last step.
custom_hooks = [dict(type=Stages, stages={0: ["decompose.view"], 250: rest}), average, panels]
optim_wrapper = dict(
    type=GuardedOptimWrapper, optimizer=dict(type=Adam, lr=1e-3), clip_grad=dict(max_norm=1.0)
)
train_dataloader.update(batch_size=32)
param_scheduler = [dict(type=CosineAnnealingLR, T_max=250, eta_min=1e-5, by_epoch=False)]
train_cfg.update(max_iters=250, val_interval=50)
