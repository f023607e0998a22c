"""Cross-view: a face predicted from one photo, measured from the side, on synthetic heads.

python tools/test.py CONFIG --protocol cross_view
"""

from mmengine.dataset import DefaultSampler, default_collate

from l2rkit.data import PackPhoto, TurnedHeads
from l2rkit.metrics import CrossViewErrors, CrossViewRenderErrors

protocol = "cross-view, heads, 64 px"
test_dataloader = dict(
    batch_size=30,
    num_workers=0,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        type=TurnedHeads, split="test", people=100, image_size=64, pipeline=[dict(type=PackPhoto)]
    ),
)
test_evaluator = [dict(type=CrossViewErrors), dict(type=CrossViewRenderErrors)]
