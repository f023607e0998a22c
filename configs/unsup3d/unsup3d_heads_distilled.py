"""Unsup3D's networks on synthetic heads, distilled from Unsup3D and LAP together.

Ours. Both are trained on photos alone and err in different places, so the mean of their predictions
for a photo and its mirror image is better than each. One network learns this mean.
"""

from mmengine.config import read_base
from mmengine.hooks import EMAHook
from mmengine.optim import CosineAnnealingLR
from mmengine.runner import IterBasedTrainLoop
from torch.optim import Adam

from l2rkit.engine import GuardedOptimWrapper
from l2rkit.losses import Distillation

with read_base():
    from .unsup3d_heads import *

load_from = "work_dirs/unsup3d_heads/iter_4200.pth"
model["losses"] = dict(
    teacher=dict(
        type=Distillation,
        teachers={
            "configs/unsup3d/unsup3d_heads.py": "work_dirs/unsup3d_heads/iter_4200.pth",
            "configs/lap/lap_heads.py": "work_dirs/lap_heads/iter_1350.pth",
        },
        mirror=True,
    ),
)
custom_hooks = [dict(type=EMAHook, momentum=0.01), dict(type=PanelHook, interval=500)]
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=1e-3),  # supervised, so ten times the usual rate is stable
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [dict(type=CosineAnnealingLR, T_max=1500, eta_min=1e-5, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1500, val_interval=300)
