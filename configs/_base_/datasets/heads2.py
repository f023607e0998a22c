"""Synthetic heads, version 2: skin of portraits, fine relief, occluders; tests of detail, too.

Version 1 is `heads.py`. Heads are rendered when they are first needed.
"""

from mmengine.config import read_base

from l2rkit.data import DetailedHeads, EachAlone, FindLandmarks, PackPhoto, ResizeFace
from l2rkit.metrics import (
    DepthErrors,
    FaceDepthErrors,
    FaceNormalErrors,
    FineNormalErrors,
    NormalErrors,
    RenderErrors,
)

with read_base():
    from .heads import *

protocol = "heads 2, 64 px"
true_fields = ("img", "depth", "normal", "mask")
landmark_pipeline = [
    dict(type=EachAlone),  # methods for photo sets get one photo at a time
    dict(type=FindLandmarks, cache="data/landmarks"),
    dict(type=ResizeFace, image_size=image_size),
    dict(type=PackPhoto),
]
train_dataloader["dataset"] = dict(
    type=DetailedHeads,
    split="train",
    size=16_000,  # the short trainings see each photo at most twice; all use the same ones
    pipeline=train_pipeline,
)
val_dataloader["dataset"] = dict(
    type=DetailedHeads, split="val", size=512, fields=("img", "depth"), pipeline=test_pipeline
)
test_dataloader["dataset"] = dict(
    type=DetailedHeads, split="test", size=1000, fields=true_fields, pipeline=landmark_pipeline
)
test_evaluator = [
    dict(type=DepthErrors),
    dict(type=NormalErrors),
    dict(type=FineNormalErrors),
    dict(type=FaceDepthErrors),
    dict(type=FaceNormalErrors),
    dict(type=RenderErrors),
]
