"""Proxy of L2R for photos of people: bad photos, distilled from landmarks of the good ones.

Half of the photos that it sees are those of a manifest in OPENFACES_ROOT (docs/datasets.md), half
are synthetic heads, which turn farther; of both, FaceMesh sees the good photo, and the network the
bad one. Nothing is rendered.
"""

from mmengine.config import read_base
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmengine.hooks import EMAHook
from mmengine.optim import CosineAnnealingLR, LinearLR, OptimWrapper
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import AdamW

from l2rkit.data import (
    CropByLandmarks,
    Degrade,
    FindLandmarks,
    FlipFace,
    LoadPhoto,
    ManifestPhotos,
    PackPhoto,
    SyntheticHeads,
)
from l2rkit.decompose import SharedEncoderDecomposer
from l2rkit.losses import LandmarkDistillation
from l2rkit.metrics import PoseErrors, ShapeErrors
from l2rkit.model import FaceReconstructor

with read_base():
    from .._base_.heads_degraded import *
    from .._base_.runtime import *

model = dict(
    type=FaceReconstructor,
    decompose=dict(type=SharedEncoderDecomposer, image_size=128),
    render=None,
    losses=dict(landmarks=dict(type=LandmarkDistillation, slope=100.0)),
    precision="bfloat16",
)
bad_pipeline = [
    dict(type=FindLandmarks, cache="data/landmarks"),
    dict(type=FlipFace, prob=0.5),
    dict(type=Degrade, degradation=degradation),
    dict(type=PackPhoto),
]
photo_pipeline = [dict(type=LoadPhoto), dict(type=CropByLandmarks, image_size=128)]
train_dataloader.update(batch_size=32)
train_dataloader["dataset"] = dict(
    type=ConcatDataset,
    datasets=[
        dict(
            type=RepeatDataset,  # 5,560 photos, to be seen three times as often as the heads
            times=3,
            dataset=dict(
                type=ManifestPhotos, split="train", pipeline=[*photo_pipeline, *bad_pipeline]
            ),
        ),
        dict(
            type=SyntheticHeads,
            split="train",
            size=5120,
            image_size=128,
            workers=2,
            pipeline=bad_pipeline,
        ),
    ],
)
val_dataloader.update(batch_size=20)
val_dataloader["dataset"] = dict(
    type=ManifestPhotos,
    split="val",
    pipeline=[
        *photo_pipeline,
        dict(type=FindLandmarks, cache="data/landmarks"),
        dict(type=Degrade, degradation=dict(type=Level, name="severe"), seed=0),
        dict(type=PackPhoto),
    ],
)
val_evaluator = [dict(type=PoseErrors), dict(type=ShapeErrors)]
custom_hooks = [dict(type=EMAHook, momentum=0.002)]
optim_wrapper = dict(
    type=OptimWrapper,
    optimizer=dict(type=AdamW, lr=1e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=200, by_epoch=False),
    dict(type=CosineAnnealingLR, T_max=2600, eta_min=1e-5, begin=0, end=2600, by_epoch=False),
]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=2600, val_interval=1000)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
