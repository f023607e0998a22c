"""Unsup3D's networks on bad photos of people, distilled from landmarks of the good ones as well.

A baseline of `l2r_openfaces` with equal supervision (ours): the same photos, degradations and
keypoints, with Unsup3D's own losses. It continues `unsup3d_openfaces`.
"""

from mmengine.config import read_base
from mmengine.hooks import EMAHook
from mmengine.optim import CosineAnnealingLR, LinearLR
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine import GuardedOptimWrapper
from l2rkit.losses import LandmarkDistillation, MobileNetFeatures, Perceptual, Photometric
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from l2rkit.viz import PanelHook

with read_base():
    from .._base_.datasets.people_degraded import *
    from .._base_.default_runtime import *

load_from = "zoo://unsup3d_openfaces"
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=Unsup3DDecomposer, image_size=64, width=16, encoder_width=16),
    render=dict(type=GridRenderer, size=128),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.5, scale=0.15),
        perceptual=dict(
            type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.5, scale=0.15
        ),
        landmarks=dict(type=LandmarkDistillation),
    ),
)
custom_hooks = [dict(type=EMAHook, momentum=0.005), dict(type=PanelHook, interval=430)]
optim_wrapper = dict(
    type=GuardedOptimWrapper, optimizer=dict(type=Adam, lr=7e-4), clip_grad=dict(max_norm=1.0)
)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=50, by_epoch=False),
    dict(type=CosineAnnealingLR, T_max=430, eta_min=1e-5, begin=0, end=430, by_epoch=False),
]
# It goes on from trained weights, and its losses are flat by then.
train_cfg = dict(type=IterBasedTrainLoop, max_iters=430, val_interval=430)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
