"""L2R for photos of people at 128 pixels: the default for photos.

`l2r_openfaces_joint` trained on. Broad colours of what the photo shows are now those of the proxy,
so that the network learns the detail, and identity weighs more. At the end errors of colour weigh
more, too: with 22, validation photos gained likeness and PSNR, with 60 PSNR alone. 2D restorer and
albedo network see photo and mirror image.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR, LinearLR

from l2rkit.restore import SelfEnsemble

with read_base():
    from .l2r_openfaces_joint import *

load_from = "work_dirs/l2r_openfaces_joint/iter_1300.pth"
load_only = None
model["decompose"]["restore"] = dict(type=SelfEnsemble, restore=dict(type=FaceRestorer))
# 2 px: with more, colours are farther from the good photo; with less, faces lose their identity.
model["refine"]["albedo"].update(broad=1 / 64, self_ensemble=True)
model["refine"]["geometry"].update(rim=3 / 128)  # else it dents the outline of turned heads
model["refine"]["light"].update(strongest=0.8)  # with 0.5, half of the light from one side stayed
model["losses"]["photometric"]["weight"] = 10.0
model["losses"]["identity"].update(weight=0.6)
panels["interval"] = 200
schedule = dict(
    type=Schedule,
    changes={
        "losses.photometric.weight": {0: 10.0, 400: 22.0},
        "losses.perceptual.weight": {0: 2.0, 400: 1.5},
        "refine.albedo.hide": {0: 0.6, 400: 0.3},
    },
)
custom_hooks = [average, schedule, dict(type=ChannelsLast), panels]
optim_wrapper["others"].update(optimizer=dict(type=Adam, lr=2e-4), paramwise_cfg=None)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=20, by_epoch=False),
    dict(type=CosineAnnealingLR, T_max=620, eta_min=1e-5, begin=0, end=620, by_epoch=False),
]
train_cfg.update(max_iters=600, val_interval=300)
