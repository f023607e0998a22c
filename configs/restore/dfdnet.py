"""A small DFDNet, trained on a CPU with our data and schedule.

First run `python tools/builders/build_dictionary.py`, which writes its dictionary. The paper also
trains with an adversarial loss at four scales; this config does not.
"""

from mmengine.config import read_base
from mmengine.hooks import EMAHook
from mmengine.optim import CosineAnnealingLR, LinearLR
from mmengine.runner import IterBasedTrainLoop, ValLoop
from torch.optim import Adam

from l2rkit.engine import ChannelsLast, GuardedOptimWrapper
from l2rkit.losses import MobileNetFeatures
from l2rkit.restore import DFDNet, PhotoRestorer

with read_base():
    from .._base_.datasets.restore_faces import *
    from .._base_.default_runtime import *

model = dict(
    type=PhotoRestorer,
    restore=dict(type=DFDNet, weights=None, dictionary="work_dirs/dictionary.safetensors"),
    features=dict(type=MobileNetFeatures),
    perceptual=1.0,
)
custom_hooks = [
    dict(type=EMAHook, momentum=0.005),
    dict(type=ChannelsLast),  # 1.7 times as fast with --amp on a CPU with AMX
]
optim_wrapper = dict(
    type=GuardedOptimWrapper, optimizer=dict(type=Adam, lr=3e-4), clip_grad=dict(max_norm=1.0)
)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type=CosineAnnealingLR, T_max=1900, eta_min=1e-5, begin=100, end=2000, by_epoch=False),
]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=2000, val_interval=500)
val_cfg = dict(type=ValLoop)
