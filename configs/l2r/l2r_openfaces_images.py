"""L2R for photos of people at 128 pixels, from images alone.

As `l2r_openfaces`, whose proxy knows keypoints, it unwraps the restored photo onto a proxy's face
and corrects the whole. The proxy here is `unsup3d_heads2_anywhere`, which has seen heads alone. The
photos are those of a manifest in OPENFACES_ROOT (docs/datasets.md).
"""

from mmengine.config import read_base

from l2rkit.data import CropByLandmarks, LoadPhoto, ManifestPhotos
from l2rkit.refine import SharedDepthOffset, UnwrappedAlbedo

with read_base():
    from .l2r_heads2 import *

load_from = "work_dirs/unsup3d_heads2_anywhere/iter_5000.pth"
load_only = (
    *("decompose.depth", "decompose.albedo", "decompose.light", "decompose.view"),
    "refine.common",
)
# The photo's light stays in the albedo: a proxy of heads explains that of people badly.
model["refine"] = dict(
    common=dict(type=SharedDepthOffset, size=64),
    level=dict(type=DepthLevel),
    photo=dict(type=UnwrappedAlbedo, begin="face_restorer"),
)
photo_pipeline = [dict(type=LoadPhoto), dict(type=CropByLandmarks, image_size=128)]
train_dataloader["dataset"] = dict(
    type=ManifestPhotos,
    split="train",
    pipeline=[*photo_pipeline, *degraded_ending],
)
val_dataloader["dataset"] = dict(
    type=ManifestPhotos,
    split="val",
    pipeline=[*photo_pipeline, *severe_ending],
)
custom_hooks = [
    dict(type=Freeze, parts=["restore", "decompose", "refine.common"]),
    average,
    dict(type=ChannelsLast),
    panels,
]
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=20, by_epoch=False),
    dict(type=CosineAnnealingLR, T_max=300, eta_min=1e-5, begin=0, end=300, by_epoch=False),
]
panels["interval"] = 100
default_hooks["checkpoint"].update(interval=100)
train_cfg.update(max_iters=300, val_interval=300)
