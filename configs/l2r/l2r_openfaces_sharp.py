"""L2R for photos of people at 128 pixels: `l2r_heads_128` with real photos and their prior.

Two of five photos are those of a manifest in OPENFACES_ROOT (docs/datasets.md), the others are
heads, which have varied views; all are degraded. It starts from
`unsup3d_openfaces_degraded_distilled`, to be trained first.
"""

from mmengine.config import read_base
from mmengine.dataset import ConcatDataset

from l2rkit.data import CropByLandmarks, Degrade, FlipFace, LoadPhoto, ManifestPhotos, PackPhoto

with read_base():
    from .l2r_heads_128 import *

load_from = "work_dirs/unsup3d_openfaces_degraded_distilled/iter_1200.pth"
model["refine"]["albedo"]["prior"].update(
    weights="stylegan2_64_openfaces", grown="stylegan2_128_openfaces"
)
model["losses"]["albedo"]["symmetry"] = 0.3  # frontal light is more ambiguous
photo_pipeline = [
    dict(type=LoadPhoto),
    dict(type=CropByLandmarks, image_size=128),
    dict(type=FlipFace, prob=0.5),
    dict(type=Degrade, degradation=degradation),
    dict(type=PackPhoto),
]
train_dataloader["dataset"] = dict(
    type=ConcatDataset,
    datasets=[
        dict(type=ManifestPhotos, split="train", pipeline=photo_pipeline),
        train_dataloader["dataset"],
    ],
)
stages["stages"] = {
    0: ["refine.albedo"],
    350: ["refine.geometry"],
    420: ["refine.albedo", "refine.geometry"],
}
custom_hooks = [stages, average, panels]
param_scheduler = [dict(type=MultiStepLR, milestones=[650], gamma=0.33, by_epoch=False)]
train_cfg.update(max_iters=750)
