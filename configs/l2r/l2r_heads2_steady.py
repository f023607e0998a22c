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
model["losses"] = {name: model["losses"][name] for name in ("teacher", "views", "steady")}
custom_hooks = [
    dict(
        type=Stages,
        stages={
            0: ["decompose.view"],
            # The rest would begin to learn after the last step.
            250: [
                *("decompose.depth", "decompose.albedo", "decompose.light"),
                *("decompose.confidence", "refine"),
            ],
        },
    ),
    average,
    panels,
]
optim_wrapper = dict(
    type=GuardedOptimWrapper, optimizer=dict(type=Adam, lr=1e-3), clip_grad=dict(max_norm=1.0)
)
train_dataloader.update(batch_size=32)
param_scheduler = [dict(type=CosineAnnealingLR, T_max=250, eta_min=1e-5, by_epoch=False)]
train_cfg.update(max_iters=250, val_interval=50)
