"""Cross-view on heads of version 2: a face predicted from one photo, measured from the side.

python tools/test.py CONFIG --protocol heads2_cross_view
"""

from mmengine.config import read_base

from l2rkit.data import DetailedTurnedHeads

with read_base():
    from .cross_view import *

protocol = "cross-view, heads 2, 64 px"
model = dict(render=dict(size=64))  # also for methods whose faces are larger
test_dataloader["dataset"].update(type=DetailedTurnedHeads)
