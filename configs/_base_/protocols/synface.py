"""Unsup3D's test set of rendered Basel faces, laid out as docs/datasets.md says.

python tools/test.py CONFIG --protocol synface
"""

from mmengine.config import read_base

from l2rkit.data import CentreCrop, DepthPairs, LoadPhoto, PackPhoto, ResizeFace
from l2rkit.metrics import DepthCorrelation, DepthErrors

with read_base():
    from .cross_view import *

protocol = "BFM synface, 64 px"
test_dataloader["dataset"] = dict(
    type=DepthPairs,
    data_root="data/synface",
    split="test",
    pipeline=[
        dict(type=LoadPhoto),
        dict(type=CentreCrop, size=170),
        dict(type=ResizeFace, image_size=64),
        dict(type=PackPhoto),
    ],
)
test_evaluator = [dict(type=DepthErrors), dict(type=DepthCorrelation)]
