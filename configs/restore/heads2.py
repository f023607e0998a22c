"""Evaluates restorers alone on the test heads of version 2, at the input size of 3D methods.

python tools/test.py configs/restore/heads2.py --level severe --restore FaceRestorer
"""

from mmengine.config import read_base

from l2rkit.data import DetailedHeads

with read_base():
    from .heads import *

protocol = "heads 2, 64 px"
test_dataloader["dataset"].update(type=DetailedHeads)
