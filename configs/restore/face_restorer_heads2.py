"""`FaceRestorer` trained on, with heads of version 2 in the place of version 1's.

Ours, and the answer to whether restorers need them: see this folder's README.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR, LinearLR

from l2rkit.data import DetailedHeads

with read_base():
    from .face_restorer import *

model["restore"] = dict(type=FaceRestorer, frozen=False)
heads.update(type=DetailedHeads)
train_dataloader["dataset"].update(
    datasets=[photos, dict(type=RepeatDataset, times=2, dataset=heads)]
)
optim_wrapper["optimizer"].update(lr=1.5e-4)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=20, by_epoch=False),
    dict(type=CosineAnnealingLR, T_max=380, eta_min=5e-6, begin=20, end=400, by_epoch=False),
]
train_cfg.update(max_iters=400, val_interval=200)
