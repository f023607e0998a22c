"""Pairs of bad and good photos of people, with landmarks of the good ones.

The photos are those of a manifest in OPENFACES_ROOT (docs/datasets.md); validation and test are at
`severe`.
"""

from mmengine.config import read_base

from l2rkit.data import (
    CropByLandmarks,
    Degrade,
    FindLandmarks,
    FlipFace,
    LoadPhoto,
    ManifestPhotos,
    PackPhoto,
)
from l2rkit.degrade import DegradationLevel
from l2rkit.metrics import PoseErrors, ShapeErrors

with read_base():
    from ..loaders import *
    from .heads_degraded import degradation

photo_pipeline = [
    dict(type=LoadPhoto),
    dict(type=CropByLandmarks, image_size=128),
    dict(type=FindLandmarks, cache="data/landmarks"),
]
bad_pipeline = [
    *photo_pipeline,
    dict(type=FlipFace, prob=0.5),
    dict(type=Degrade, degradation=degradation),
    dict(type=PackPhoto),
]
train_dataloader = dict(
    **train_loader,
    batch_size=32,
    dataset=dict(type=ManifestPhotos, split="train", pipeline=bad_pipeline),
)
bad_at_severe = [
    *photo_pipeline,
    dict(type=Degrade, degradation=dict(type=DegradationLevel, name="severe"), seed=0),
    dict(type=PackPhoto),
]
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
