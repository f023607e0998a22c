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
# As it was trained, before `l2r_heads` had a teacher, which knows heads alone.
model["losses"].pop("teacher")
model["losses"]["cycle"] = dict(type=CycleConsistency, share=0.25, yaw_deg=60.0, pitch_deg=16.0)
model["losses"]["upright"]["weight"] = 0.5
custom_hooks[0]["stages"] = {
    0: ["refine.albedo"],
    300: ["refine.geometry"],
    600: ["decompose", "refine.albedo", "refine.geometry"],
}
custom_hooks[1]["momentum"] = 0.004
optim_wrapper["others"]["paramwise_cfg"]["custom_keys"]["decompose"]["lr_mult"] = 0.25
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
