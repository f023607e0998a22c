"""Normals against those of photometric stereo: Photoface, laid out as docs/datasets.md says.

python tools/test.py CONFIG --protocol photoface
"""

from mmengine.config import read_base

from l2rkit.data import LoadPhoto, NormalPairs, PackPhoto, ResizeFace
from l2rkit.metrics import NormalErrors

with read_base():
    from .cross_view import *

protocol = "Photoface, 64 px"
test_dataloader["dataset"] = dict(
    type=NormalPairs,
    data_root="data/photoface",
    split="test",
    pipeline=[dict(type=LoadPhoto), dict(type=ResizeFace, image_size=64), dict(type=PackPhoto)],
)
test_evaluator = dict(type=NormalErrors)
