"""L2R on heads of version 2 with few steps: the reference of the ablations there.

It is `l2r_heads2_kept`, but only the proxy has learnt before.
"""

from mmengine.config import read_base

with read_base():
    from ..l2r.l2r_heads2_kept import *

load_only = ("decompose",)
optim_wrapper["others"]["paramwise_cfg"]["custom_keys"].pop("refine.geometry")
protocol = "heads 2, 64 px, ablations of L2R"
param_scheduler = [dict(type=MultiStepLR, milestones=[120], gamma=0.2, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=150, val_interval=150)
