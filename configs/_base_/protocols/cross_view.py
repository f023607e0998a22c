"""Cross-view: a face predicted from one photo, measured from the side, on synthetic heads.

python tools/test.py CONFIG --protocol cross_view
"""

from mmengine.config import read_base

from l2rkit.data import PackPhoto, TurnedHeads
from l2rkit.metrics import CrossViewErrors, CrossViewRenderErrors

with read_base():
    from ..loaders import *

protocol = "cross-view, heads, 64 px"
model = dict(render=dict(size=64))  # also for methods whose faces are larger
test_dataloader = dict(
    **test_loader,
    batch_size=30,
    dataset=dict(
        type=TurnedHeads, split="test", people=100, image_size=64, pipeline=[dict(type=PackPhoto)]
    ),
)
test_evaluator = [dict(type=CrossViewErrors), dict(type=CrossViewRenderErrors)]
