"""Unsup3D on synthetic heads at 64 pixels, trained on a CPU: the third and last stage.

`unsup3d_heads_32` and `unsup3d_heads_student` come before it; see README.md here. What differs from
the paper is marked 'ours', with its reason.
"""

from mmengine.config import read_base
from mmengine.hooks import EMAHook
from mmengine.optim import MultiStepLR
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine import GuardedOptimWrapper, Schedule
from l2rkit.losses import (
    CycleConsistency,
    MobileNetFeatures,
    Perceptual,
    Photometric,
    PitchPrior,
    ShiftEquivariance,
    ZeroMeanPose,
)
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from l2rkit.viz import PanelHook

with read_base():
    from .._base_.datasets.heads import *
    from .._base_.default_runtime import *

load_from = "work_dirs/unsup3d_heads_student/iter_1000.pth"
model = dict(
    type=FaceReconstructor,
    decompose=dict(
        type=Unsup3DDecomposer,
        image_size=64,
        width=16,  # ours: a quarter of the published width trains on a CPU
        encoder_width=16,
    ),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.5),
        perceptual=dict(type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.5),
        # Ours: what symmetry leaves open. Renderings and shifted photos train the view only: losses
        # on maps, which the first stage needs, would keep each face near the mean one.
        cycle=dict(
            type=CycleConsistency, share=0.25, yaw_deg=50.0, pitch_deg=10.0, shift=0.008, maps=0.0
        ),
        moved=dict(type=ShiftEquivariance, weight=0.5, share=0.25, maps=0.0),
        views=dict(type=ZeroMeanPose, weight=2.0),
        upright=dict(type=PitchPrior, weight=2.0, lean_deg=-6.0),
    ),
)
average = dict(type=EMAHook, momentum=0.01)  # ours: errors vary between checkpoints
panels = dict(type=PanelHook, interval=500)
custom_hooks = [
    # Ours: fixed at first, as the student has not learnt confidence.
    dict(
        type=Schedule,
        changes={
            "losses.photometric.scale": {0: 0.15, 200: None},
            "losses.perceptual.scale": {0: 0.15, 200: None},
        },
    ),
    average,
    panels,
]
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=2e-4),  # no weight decay: ours
    paramwise_cfg=dict(
        custom_keys={  # ours: they learn too slowly otherwise
            "decompose.view": dict(lr_mult=3.0),
            "decompose.depth": dict(lr_mult=2.0),
        }
    ),
    clip_grad=dict(max_norm=1.0),  # ours: training without it has collapsed
)
train_dataloader.update(batch_size=32)
param_scheduler = [dict(type=MultiStepLR, milestones=[3600], gamma=0.33, by_epoch=False)]
# unsup3d_openfaces starts from step 1,600.
default_hooks["checkpoint"].update(interval=1600, max_keep_ckpts=3)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=4200, val_interval=400)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
