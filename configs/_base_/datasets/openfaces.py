"""Real photos and synthetic heads, half and half, for training; validation and test on heads.

The photos are those of a manifest in OPENFACES_ROOT (docs/datasets.md). They are mostly frontal,
which is not enough to learn depth; the heads have varied views.
"""

from mmengine.config import read_base
from mmengine.dataset import ConcatDataset, RepeatDataset

from l2rkit.data import (
    CropByLandmarks,
    FlipFace,
    LoadPhoto,
    ManifestPhotos,
    PackPhoto,
    ResizeFace,
    SyntheticHeads,
)

with read_base():
    from .heads import *

photo_pipeline = [
    dict(type=LoadPhoto),
    dict(type=CropByLandmarks, image_size=128),
    dict(type=ResizeFace, image_size=64),
    dict(type=FlipFace, prob=0.5),
    dict(type=PackPhoto),
]
photos = dict(
    type=RepeatDataset,  # 5,560 photos, sampled as often as the heads
    times=7,
    dataset=dict(type=ManifestPhotos, split="train", pipeline=photo_pipeline),
)
heads = dict(type=SyntheticHeads, split="train", size=40_000, pipeline=train_pipeline)
train_dataloader["dataset"] = dict(type=ConcatDataset, datasets=[photos, heads])
