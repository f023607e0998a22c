"""Evaluates restorers alone on held-out photos of people.

    python tools/test.py configs/restore/people.py --level severe --restore FaceRestorer

The protocol is `people`, that of 3D methods, with the metrics that apply to pictures.
"""

from mmengine.config import read_base
from mmengine.runner import TestLoop

from l2rkit.metrics import FaceRegionErrors, FaceRetrieval
from l2rkit.restore import PhotoRestorer

with read_base():
    from .._base_.default_runtime import *
    from .._base_.protocols.people import *

model = dict(type=PhotoRestorer)
test_evaluator = [dict(type=FaceRetrieval, cache="work_dirs/people"), dict(type=FaceRegionErrors)]
test_cfg = dict(type=TestLoop)
