"""Synthetic heads: training without labels, validation and test against the true depth."""

from mmengine.dataset import DefaultSampler, default_collate

from l2rkit.data import FlipFace, PackPhoto, ResizeFace, SyntheticHeads
from l2rkit.metrics import DepthErrors, RenderErrors

protocol = "heads, 64 px"
image_size = 64  # px; a config that needs another size changes it in the three pipelines

train_pipeline = [
    dict(type=ResizeFace, image_size=image_size),
    dict(type=FlipFace, prob=0.5),
    dict(type=PackPhoto),
]
test_pipeline = [dict(type=ResizeFace, image_size=image_size), dict(type=PackPhoto)]

train_dataloader = dict(
    batch_size=64,
    num_workers=1,  # a second worker would take time from the networks on two cores
    persistent_workers=True,
    drop_last=True,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=True),
    dataset=dict(type=SyntheticHeads, split="train", size=40_000, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        type=SyntheticHeads,
        split="val",
        size=512,
        fields=("img", "depth"),
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=64,
    num_workers=0,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=False),
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
