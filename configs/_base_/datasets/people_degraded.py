"""Pairs of bad and good photos of people, with landmarks of the good ones.

The photos are those of a manifest in OPENFACES_ROOT (docs/datasets.md); validation and test are at
`severe`.
"""

from mmengine.config import read_base

from l2rkit.data import (
    CropByLandmarks,
    FindLandmarks,
    LoadPhoto,
    ManifestPhotos,
)
from l2rkit.metrics import PoseErrors, ShapeErrors

with read_base():
    from ..loaders import *
    from .heads_degraded import degraded_ending, severe_ending

photo_pipeline = [
    dict(type=LoadPhoto),
    dict(type=CropByLandmarks, image_size=128),
    dict(type=FindLandmarks, cache="data/landmarks"),
]
bad_pipeline = [*photo_pipeline, *degraded_ending]
train_dataloader = dict(
    **train_loader,
    batch_size=32,
    dataset=dict(type=ManifestPhotos, split="train", pipeline=bad_pipeline),
)
bad_at_severe = [*photo_pipeline, *severe_ending]
val_dataloader = dict(
    **test_loader,
    batch_size=20,
    dataset=dict(type=ManifestPhotos, split="val", pipeline=bad_at_severe),
)
val_evaluator = [dict(type=PoseErrors), dict(type=ShapeErrors)]
test_dataloader = dict(
    **test_loader,
    batch_size=20,
    dataset=dict(type=ManifestPhotos, split="test", pipeline=bad_at_severe),
)
test_evaluator = [dict(type=PoseErrors), dict(type=ShapeErrors)]
