"""Synthetic heads of 128 px, the whole head and the face alone, for keypoint methods.

python tools/test.py CONFIG --protocol heads_faces
"""

from mmengine.config import read_base

from l2rkit.data import FindLandmarks
from l2rkit.metrics import FaceDepthErrors

with read_base():
    from ..datasets.heads_128 import *

protocol = "heads and faces, 128 px"
model = dict(render=dict(size=128))
test_dataloader.update(batch_size=20)
test_dataloader["dataset"].update(
    size=300,
    pipeline=[
        dict(type=EachAlone),
        dict(type=FindLandmarks, cache="data/landmarks"),
        dict(type=PackPhoto),
    ],
)
test_evaluator = [dict(type=DepthErrors), dict(type=FaceDepthErrors)]
