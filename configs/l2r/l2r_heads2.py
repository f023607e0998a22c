"""L2R on synthetic heads of version 2 at 64 pixels, trained on a CPU.

The second stage, after `l2r_heads2_views`. It keeps the geometry of `l2r_heads`, which has learnt
on version 1, and the views of the first stage. Albedo and light learn people's skin. There is no
displacement map, as it changed nothing in the ablations.
"""

from mmengine.config import read_base

from l2rkit.decompose import EquivariantDecomposer
from l2rkit.engine import Freeze
from l2rkit.refine import DepthLevel

with read_base():
    from .l2r_heads import *
    from .._base_.datasets.heads2_degraded import *  # isort: skip

load_from = "work_dirs/l2r_heads2_views/iter_3000.pth"
load_only = None
model["decompose"].update(type=EquivariantDecomposer)
model["refine"] = dict(level=dict(type=DepthLevel), **model["refine"])
model["refine"]["geometry"].update(displacement=0.0)
for name in ("displacement", "teacher", "cycle", "views", "upright"):  # for depth and views
    model["losses"].pop(name)
custom_hooks = [
    dict(type=Freeze, parts=["decompose.depth", "decompose.view", "refine.geometry"]),
    average,
    panels,
]
optim_wrapper["others"].pop("paramwise_cfg")
default_hooks["checkpoint"].update(interval=100, max_keep_ckpts=1)
param_scheduler = [dict(type=MultiStepLR, milestones=[320], gamma=0.2, by_epoch=False)]
train_cfg.update(max_iters=400, val_interval=200)
