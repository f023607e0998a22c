"""Synthetic heads: training without labels, validation and test against the true depth."""

from mmengine.config import read_base

from l2rkit.data import FlipFace, PackPhoto, ResizeFace, SyntheticHeads
from l2rkit.metrics import DepthErrors, RenderErrors

with read_base():
    from ..loaders import *

protocol = "heads, 64 px"
image_size = 64  # px; a config that needs another size changes it in the three pipelines

train_pipeline = [
    dict(type=ResizeFace, image_size=image_size),
    dict(type=FlipFace, prob=0.5),
    dict(type=PackPhoto),
]
test_pipeline = [dict(type=ResizeFace, image_size=image_size), dict(type=PackPhoto)]

train_dataloader = dict(
    **train_loader,
    batch_size=64,
    dataset=dict(type=SyntheticHeads, split="train", size=40_000, pipeline=train_pipeline),
)
val_dataloader = dict(
    **test_loader,
    batch_size=64,
    dataset=dict(
        type=SyntheticHeads,
        split="val",
        size=512,
        fields=("img", "depth"),
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    **test_loader,
    batch_size=64,
    dataset=dict(
        type=SyntheticHeads,
        split="test",
        size=1000,
        fields=("img", "depth"),
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type=DepthErrors)
test_evaluator = [dict(type=DepthErrors), dict(type=RenderErrors)]
