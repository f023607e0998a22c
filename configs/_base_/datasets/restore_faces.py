"""Pairs of a bad and a good photo of a face, 128 px: half photos of people, half synthetic heads.

Validation is on photos at the level `severe`. The photos are those of a manifest in OPENFACES_ROOT
(docs/datasets.md).
"""

from mmengine.config import read_base
from mmengine.dataset import ConcatDataset, RepeatDataset

from l2rkit.data import (
    CropByLandmarks,
    Degrade,
    FlipFace,
    LoadPhoto,
    ManifestPhotos,
    PackPhoto,
    SyntheticHeads,
)
from l2rkit.degrade import Compose, DegradationLevel, DegradationRecipe, DownUpsample, RandomChoice
from l2rkit.metrics import PhotoErrors

with read_base():
    from ..loaders import *

# Degraded at 128 px; degraded at 64 px and enlarged; good photos, which must not change.
degradation = dict(
    type=RandomChoice,
    parts=[
        dict(type=DegradationRecipe, name="l2r"),
        dict(
            type=DownUpsample,
            factor=2,
            inside=[dict(type=DegradationRecipe, name="l2r")],
            up="bicubic",
        ),
        dict(type=Compose, parts=[]),
        dict(type=DownUpsample, factor=2, up="bicubic"),
    ],
    weights=[0.45, 0.45, 0.05, 0.05],
)
ending = [
    dict(type=FlipFace, prob=0.5),
    dict(type=Degrade, degradation=degradation),
    dict(type=PackPhoto),
]
photo_pipeline = [dict(type=LoadPhoto), dict(type=CropByLandmarks, image_size=128)]
photos = dict(type=ManifestPhotos, split="train", pipeline=[*photo_pipeline, *ending])
heads = dict(type=SyntheticHeads, split="train", size=2816, image_size=128, pipeline=[*ending])

train_dataloader = dict(
    **train_loader,
    batch_size=16,
    dataset=dict(
        type=ConcatDataset,
        datasets=[photos, dict(type=RepeatDataset, times=2, dataset=heads)],  # half and half
    ),
)
val_dataloader = dict(
    **test_loader,
    batch_size=32,
    dataset=dict(
        type=ManifestPhotos,
        split="val",
        pipeline=[
            *photo_pipeline,
            dict(type=Degrade, degradation=dict(type=DegradationLevel, name="severe"), seed=0),
            dict(type=PackPhoto),
        ],
    ),
)
val_evaluator = dict(type=PhotoErrors)
