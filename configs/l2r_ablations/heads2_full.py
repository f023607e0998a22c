"""L2R on heads of version 2 with few steps: the reference of the ablations there."""

from mmengine.config import read_base

with read_base():
    from ..l2r.l2r_heads2 import *

protocol = "heads 2, 64 px, ablations of L2R"
param_scheduler = [dict(type=MultiStepLR, milestones=[270], gamma=0.33, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=300, val_interval=300)
