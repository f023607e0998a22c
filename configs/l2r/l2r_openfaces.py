"""L2R for photos of people at 128 pixels: the default for photos.

`l2r_openfaces_joint` trained on. Broad colours of what the photo shows are now those of the proxy,
so that the network learns the detail, and identity weighs more.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR, LinearLR

with read_base():
    from .l2r_openfaces_joint import *

load_from = "work_dirs/l2r_openfaces_joint/iter_1300.pth"
load_only = None
# 2 px: with more, colours are farther from the good photo; with less, faces lose their identity.
model["refine"]["albedo"].update(broad=1 / 64)
model["losses"]["photometric"]["weight"] = 10.0
model["losses"]["identity"].update(weight=0.6)
panels["interval"] = 200
custom_hooks = [average, dict(type=ChannelsLast), panels]
optim_wrapper["others"].update(optimizer=dict(type=Adam, lr=2e-4), paramwise_cfg=None)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=20, by_epoch=False),
    dict(type=CosineAnnealingLR, T_max=420, eta_min=1e-5, begin=0, end=420, by_epoch=False),
]
train_cfg.update(max_iters=400, val_interval=400)
