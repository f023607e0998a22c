"""The second stage of `unsup3d_heads`: a 64 px network is distilled from the coarse one.

Ours: most training is at 32 px, where a step is four times cheaper; this stage transfers the
result to 64 px in minutes.
"""

from mmengine.config import read_base
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine import GuardedOptimWrapper
from l2rkit.losses import Distillation
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from l2rkit.viz import PanelHook

with read_base():
    from .._base_.datasets.heads import *
    from .._base_.default_runtime import *

model = dict(
    type=FaceReconstructor,
    decompose=dict(type=Unsup3DDecomposer, image_size=64, width=16, encoder_width=16),
    render=dict(type=GridRenderer),
    losses=dict(
        teacher=dict(
            type=Distillation,
            teachers={
                "configs/unsup3d/unsup3d_heads_32.py": "work_dirs/unsup3d_heads_32/iter_12500.pth"
            },
        ),
    ),
)
custom_hooks = [dict(type=PanelHook, interval=500)]
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=1e-3),  # supervised, so ten times the usual rate is stable
    clip_grad=dict(max_norm=1.0),
)
train_dataloader.update(batch_size=32)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1000, val_interval=500)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
