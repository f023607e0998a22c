"""The first stage of `l2r_heads2`: views of bad photos alone, from a teacher's of good ones.

It continues the shipped `l2r_heads` of version 1. Views err most at `severe` and take the most
photos; training that predicts nothing else is several times faster.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR

from l2rkit.decompose import EquivariantDecomposer
from l2rkit.losses import ViewDistillation
from l2rkit.refine import DepthLevel
from l2rkit.view_student import ViewStudent

with read_base():
    from .l2r_heads import *
    from .._base_.datasets.heads2_degraded import *  # isort: skip
    from .._base_.view_distillation import *  # isort: skip

load_from = "zoo://l2r_heads"
load_only = None
model.update(type=ViewStudent)
model.pop("adversary")
model["decompose"].update(type=EquivariantDecomposer)
model["refine"] = dict(level=dict(type=DepthLevel), **model["refine"])
model["refine"]["geometry"].update(displacement=0.0)
model["losses"] = dict(views=dict(type=ViewDistillation, teachers=teachers, mirror=True))
custom_hooks = [average, panels]
train_dataloader.update(batch_size=64)
param_scheduler = [dict(type=CosineAnnealingLR, T_max=3000, eta_min=1e-5, by_epoch=False)]
default_hooks["checkpoint"].update(interval=500, max_keep_ckpts=1)
train_cfg.update(max_iters=3000, val_interval=500)
