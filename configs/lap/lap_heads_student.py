"""The first stage of `lap_heads`: distillation of a trained Unsup3D into all networks.

Ours: it saves the hours in which views would begin to vary. A person's shared face has the same
targets as the photos' faces, and learns their mean.
"""

from mmengine.config import read_base
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.data import PersonSampler
from l2rkit.decompose import LAPDecomposer
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
    decompose=dict(type=LAPDecomposer, image_size=64, width=12, encoder_width=14),
    render=dict(type=GridRenderer),
    losses=dict(
        teacher=dict(
            type=Distillation,
            teachers={"configs/unsup3d/unsup3d_heads.py": "work_dirs/unsup3d_heads/iter_4200.pth"},
        ),
    ),
)
custom_hooks = [dict(type=PanelHook, interval=500)]
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=1e-3),  # supervised training allows ten times the usual rate
    clip_grad=dict(max_norm=1.0),
)
train_dataloader.update(batch_size=32)
train_dataloader["sampler"] = dict(type=PersonSampler, photos=(4, 2, 1, 1), seed=0)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=600, val_interval=600)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
