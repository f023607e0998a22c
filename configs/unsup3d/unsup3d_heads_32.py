"""The first, coarse stage of `unsup3d_heads`: most of the learning, at 32 pixels.

What differs from the paper is marked 'ours', with its reason.
"""

from mmengine.config import read_base
from mmengine.optim import LinearLR, MultiStepLR
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.data import FlipFace, PackPhoto, ResizeFace
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine import GuardedOptimWrapper, Schedule
from l2rkit.losses import (
    CycleConsistency,
    DepthVariance,
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
    from .._base_.datasets.heads import *
    from .._base_.default_runtime import *

protocol = "heads, 32 px"
resize = dict(type=ResizeFace, image_size=32)
test_pipeline = [resize, dict(type=PackPhoto)]
train_dataloader.dataset.update(
    pipeline=[resize, dict(type=FlipFace, prob=0.5), dict(type=PackPhoto)]
)
val_dataloader.dataset.update(pipeline=test_pipeline)
test_dataloader.dataset.update(pipeline=test_pipeline)

model = dict(
    type=FaceReconstructor,
    decompose=dict(
        type=Unsup3DDecomposer,
        image_size=32,
        width=16,  # ours: a quarter of the published width trains on a CPU
        encoder_width=16,
        view_gain=0.05,  # ours: with the published one a small network learns no view
    ),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.5),
        perceptual=dict(type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.5),
        cycle=dict(type=CycleConsistency),  # ours: without it pitch is not learnt
        views=dict(type=ZeroMeanPose, weight=0.2),  # ours: without it pitch runs to its limit
        upright=dict(type=PitchPrior, weight=5.0, lean_deg=-6.0),  # ours: else chins drift back
        # ours: without it views stay small and faces deep
        relief=dict(type=DepthVariance, weight=8.0),
    ),
)

custom_hooks = [
    # Ours: confidence is fixed at first, so that the view must explain asymmetry.
    dict(
        type=Schedule,
        changes={
            "losses.photometric.scale": {0: 0.15, 3000: None, 4000: 0.15, 5500: None},
            "losses.photometric.mirror": {0: 1.0, 3000: 0.5, 4000: 1.0, 5500: 0.5},
            "losses.perceptual.scale": {0: 0.15, 3000: None, 4000: 0.15, 5500: None},
            "losses.perceptual.mirror": {0: 1.0, 3000: 0.5, 4000: 1.0, 5500: 0.5},
            # Not earlier: it preserves views, which are too small at first.
            "losses.cycle.weight": {0: 0.0, 8000: 1.0},
            # Wider than in the photos, so that large rotations are not biased towards 0.
            "losses.cycle.yaw_deg": {0: 45.0, 10_000: 60.0},
            "losses.cycle.pitch_deg": {0: 12.0, 10_000: 16.0},
            "losses.views.weight": {0: 0.2, 1500: 2.0},
            "losses.relief.weight": {
                0: 0.0,
                2500: 8.0,
                3000: 2.0,
                5000: 0.5,
                6500: 1.0,
                8500: 0.3,
                10_500: 0.0,
            },
            "losses.upright.weight": {0: 5.0, 6500: 0.5},
        },
    ),
    dict(type=PanelHook, interval=2000),
]

optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=3e-4),  # ours: stable for a narrow network
    paramwise_cfg=dict(custom_keys={"decompose.view": dict(lr_mult=3.0)}),  # ours: else too slow
    clip_grad=dict(max_norm=1.0),  # ours: training without it has collapsed
)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.33, begin=0, end=1500, by_epoch=False),
    dict(type=MultiStepLR, milestones=[6500], gamma=0.33, by_epoch=False),
    dict(type=MultiStepLR, milestones=[8000], gamma=3.0, by_epoch=False),
    dict(type=MultiStepLR, milestones=[11_500], gamma=0.33, by_epoch=False),
]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=12_500, val_interval=1000)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
