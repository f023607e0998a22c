"""Errors of depth and albedo separately, on synthetic heads.

python tools/test.py CONFIG --protocol apart
"""

from mmengine.config import read_base

from l2rkit.data import EachAlone, PackPhoto, ResizeFace, SyntheticHeads
from l2rkit.metrics import AlbedoErrors, DepthCorrelation, DepthErrors, RenderErrors

with read_base():
    from ..loaders import *

protocol = "heads apart, 64 px"
model = dict(render=dict(size=64))  # also for methods whose faces are larger
test_dataloader = dict(
    **test_loader,
    batch_size=50,
    dataset=dict(
        type=SyntheticHeads,
        split="test",
        size=1000,
        fields=("img", "depth", "albedo"),
        pipeline=[
            dict(type=EachAlone),  # methods for photo sets get one photo at a time
            dict(type=ResizeFace, image_size=64),
            dict(type=PackPhoto),
        ],
    ),
)
test_evaluator = [
    dict(type=DepthErrors),
    dict(type=DepthCorrelation),
    dict(type=AlbedoErrors),
    dict(type=RenderErrors),
]
