"""The second stage of `l2r_heads2`, after `l2r_heads2_views`: albedo from the prior, and light.

A whole method at 64 pixels, trained on a CPU. Photos are restored in 2D first, as for people. The
geometry of `l2r_heads` is kept, which has learnt on version 1; albedo and light learn people's
skin, and views go on with restored photos. There is no displacement map, as it changed nothing in
the ablations.
"""

from mmengine.config import read_base

from l2rkit.decompose import EquivariantDecomposer
from l2rkit.engine import Freeze
from l2rkit.losses import ViewDistillation
from l2rkit.refine import DepthLevel
from l2rkit.restore import FaceRestorer

with read_base():
    from .l2r_heads import *
    from .._base_.datasets.heads2_degraded import *  # isort: skip
    from .._base_.view_distillation import teachers  # isort: skip

load_from = "work_dirs/l2r_heads2_views/iter_3000.pth"
load_only = None
model["restore"] = dict(type=FaceRestorer)
model["decompose"].update(type=EquivariantDecomposer)
model["refine"] = dict(level=dict(type=DepthLevel), **model["refine"])
model["refine"]["geometry"].update(displacement=0.0)
for name in ("displacement", "cycle", "views", "upright"):  # for depth and views
    model["losses"].pop(name)
model["losses"]["teacher"] = dict(
    type=ViewDistillation, teachers=teachers, weight=100.0, mirror=True
)
custom_hooks = [
    dict(type=Freeze, parts=["restore", "decompose.depth", "refine.geometry"]),
    average,
    panels,
]
optim_wrapper["others"].pop("paramwise_cfg")
train_dataloader.update(batch_size=16)
default_hooks["checkpoint"].update(interval=200, max_keep_ckpts=1)
param_scheduler = [dict(type=MultiStepLR, milestones=[480], gamma=0.2, by_epoch=False)]
train_cfg.update(max_iters=600, val_interval=300)
