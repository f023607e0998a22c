"""Pairs of bad and good photos of synthetic heads; validation at `severe`.

Losses compare with the good photo; tests choose their level on the command line.
"""

from mmengine.config import read_base

from l2rkit.data import Degrade, FlipFace, PackPhoto, ResizeFace
from l2rkit.degrade import Compose, DegradationLevel, DegradationRecipe, DownUpsample, RandomChoice

with read_base():
    from .heads import *

# Mostly random degradations; some small photos; some good ones, which must not get worse.
degradation = dict(
    type=RandomChoice,
    parts=[
        dict(type=DegradationRecipe, name="l2r"),
        dict(type=DownUpsample, factor=4, down="bicubic", up="bicubic"),
        dict(type=Compose, parts=[]),
    ],
    weights=[0.8, 0.1, 0.1],
)
# The ends of pipelines for training and validation, behind what loads and crops the photo.
degraded_ending = [
    dict(type=FlipFace, prob=0.5),
    dict(type=Degrade, degradation=degradation),
    dict(type=PackPhoto),
]
severe_ending = [
    dict(type=Degrade, degradation=dict(type=DegradationLevel, name="severe"), seed=0),
    dict(type=PackPhoto),
]
resize = dict(type=ResizeFace, image_size=image_size)
degraded_pipeline = [resize, *degraded_ending]
severe_pipeline = [resize, *severe_ending]
train_dataloader["dataset"]["pipeline"] = degraded_pipeline
val_dataloader["dataset"]["pipeline"] = severe_pipeline
