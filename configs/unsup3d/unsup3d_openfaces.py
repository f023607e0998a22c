"""Unsup3D for photos of people: `unsup3d_heads` continued on photos and heads, half and half.

What differs from the paper is marked 'ours', with its reason.
"""

from mmengine.config import read_base
from mmengine.hooks import EMAHook
from mmengine.optim import LinearLR, MultiStepLR
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine import GuardedOptimWrapper
from l2rkit.losses import (
    CycleConsistency,
    MobileNetFeatures,
    Perceptual,
    Photometric,
    PitchPrior,
    ZeroMeanPose,
)
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from l2rkit.viz import PanelHook

with read_base():
    from .._base_.datasets.openfaces import *
    from .._base_.default_runtime import *

load_from = "work_dirs/unsup3d_heads/iter_1600.pth"
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
        # Ours: what symmetry leaves open, with the weights at the end of the heads' first stage.
        cycle=dict(type=CycleConsistency, share=0.25, yaw_deg=60.0, pitch_deg=16.0),
        views=dict(type=ZeroMeanPose, weight=2.0),
        upright=dict(type=PitchPrior, weight=0.5, lean_deg=-6.0),
    ),
)
custom_hooks = [
    # Ours: errors vary between checkpoints; those of averaged weights fall.
    dict(type=EMAHook, momentum=0.004),
    dict(type=PanelHook, interval=500),
]
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=2e-4),  # no weight decay: ours
    paramwise_cfg=dict(custom_keys={"decompose.view": dict(lr_mult=3.0)}),  # ours: else too slow
    clip_grad=dict(max_norm=1.0),  # ours: training without it has collapsed
)
train_dataloader.update(batch_size=32)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type=MultiStepLR, milestones=[2500], gamma=0.33, by_epoch=False),
]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=3000, val_interval=500)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
