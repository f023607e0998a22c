"""MoFA's way with a linear model of the synthetic heads, at 64 pixels, trained on a CPU.

PYTHONPATH=. python tools/train.py projects/morphable/morphable_heads.py
"""

from mmengine.config import read_base
from mmengine.optim import MultiStepLR
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.engine import GuardedOptimWrapper
from l2rkit.losses import MobileNetFeatures, Perceptual, Photometric, ZeroMeanPose
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from l2rkit.viz import PanelHook
from projects.morphable.decomposer import MorphableDecomposer
from projects.morphable.likely import LikelyCodes

with read_base():
    from l2rkit.configs._base_.datasets.heads import *  # noqa: F403
    from l2rkit.configs._base_.default_runtime import *  # noqa: F403

work_dir = "work_dirs/morphable"
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=MorphableDecomposer, image_size=64, width=16),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.0),  # people are not held to be symmetric
        perceptual=dict(type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.0),
        likely=dict(type=LikelyCodes, weight=0.1),
        views=dict(type=ZeroMeanPose, weight=2.0),
    ),
)
custom_hooks = [dict(type=PanelHook, interval=200)]
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=1e-3),
    clip_grad=dict(max_norm=1.0),
)
train_dataloader.update(batch_size=16)  # noqa: F405
param_scheduler = [dict(type=MultiStepLR, milestones=[650], gamma=0.3, by_epoch=False)]
default_hooks["checkpoint"].update(interval=200)  # noqa: F405
train_cfg = dict(type=IterBasedTrainLoop, max_iters=800, val_interval=400)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
