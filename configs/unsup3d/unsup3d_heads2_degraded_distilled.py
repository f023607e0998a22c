"""Unsup3D's networks on bad photos of heads of version 2, distilled from `unsup3d_heads_stereo`.

Ours, and no baseline: the proxy of `l2r_heads2`. The teacher knows version 1 only, and is still the
best one that learnt from images alone; it also sees the mirrored photo.
"""

from mmengine.config import read_base

with read_base():
    from .unsup3d_heads_degraded_distilled import *
    from .._base_.datasets.heads2_degraded import *  # isort: skip

load_from = "work_dirs/unsup3d_heads2/iter_600.pth"
model["losses"]["teacher"]["mirror"] = True
train_dataloader.update(batch_size=64)
param_scheduler = [dict(type=CosineAnnealingLR, T_max=1200, eta_min=1e-5, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1200, val_interval=400)
