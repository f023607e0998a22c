"""Unsup3D on heads of version 2 that are aligned as photos of people are: for photos of people.

It continues `unsup3d_heads2`, which tells the yaw by the head's place in the picture; photos of
people are aligned, so their place says nothing. It has seen heads only.
"""

from mmengine.config import read_base

with read_base():
    from .unsup3d_heads2 import *
    from .._base_.datasets.heads2_aligned import *  # isort: skip

load_from = "work_dirs/unsup3d_heads2/iter_600.pth"
# Wider shifts: the view has to be told by looks. The losses are otherwise those of `unsup3d_heads`.
model["losses"]["cycle"].update(shift=0.03)
model["losses"]["moved"].update(shift=0.03)
train_dataloader.update(batch_size=32)
param_scheduler = [dict(type=MultiStepLR, milestones=[1400], gamma=0.33, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1600, val_interval=800)
