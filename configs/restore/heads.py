"""Evaluates restorers alone on the test heads, at the input size of 3D methods.

python tools/test.py configs/restore/heads.py --level severe --restore FaceRestorer
"""

from mmengine.config import read_base
from mmengine.runner import TestLoop

from l2rkit.data import PackPhoto, ResizeFace, SyntheticHeads
from l2rkit.metrics import PhotoErrors
from l2rkit.restore import PhotoRestorer

with read_base():
    from .._base_.default_runtime import *
    from .._base_.loaders import *

protocol = "heads, 64 px"
model = dict(type=PhotoRestorer)
test_dataloader = dict(
    **test_loader,
    batch_size=20,
    dataset=dict(
        type=SyntheticHeads,
        split="test",
        size=200,
        pipeline=[dict(type=ResizeFace, image_size=64), dict(type=PackPhoto)],
    ),
)
test_evaluator = dict(type=PhotoErrors)
test_cfg = dict(type=TestLoop)
