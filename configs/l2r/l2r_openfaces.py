"""L2R for photos of people at 64 pixels: `l2r_heads` with real photos and their prior.

Half of what it sees are photos of a manifest in OPENFACES_ROOT (docs/datasets.md), half are heads,
which turn; all are degraded.
"""

from mmengine.config import read_base
from mmengine.dataset import ConcatDataset, RepeatDataset

from l2rkit.data import Degrade, ManifestPhotos, PackPhoto, SyntheticHeads

with read_base():
    from .._base_.openfaces import photo_pipeline
    from .l2r_heads import *

load_from = "zoo://unsup3d_openfaces"
model["refine"]["albedo"]["prior"]["weights"] = "stylegan2_64_openfaces"
degraded_photo_pipeline = [
    *photo_pipeline[:-1],
    dict(type=Degrade, degradation=degradation),
    dict(type=PackPhoto),
]
train_dataloader["dataset"] = dict(
    type=ConcatDataset,
    datasets=[
        dict(
            type=RepeatDataset,  # 5,560 photos, to be seen as often as the heads
            times=7,
            dataset=dict(type=ManifestPhotos, split="train", pipeline=degraded_photo_pipeline),
        ),
        dict(type=SyntheticHeads, split="train", size=40_000, pipeline=degraded_pipeline),
    ],
)
param_scheduler = [dict(type=MultiStepLR, milestones=[1200], gamma=0.33, by_epoch=False)]
train_cfg.update(max_iters=1500, val_interval=500)
