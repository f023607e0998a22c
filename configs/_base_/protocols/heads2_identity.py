"""Identity of heads of version 2: rank-1 among people of the split `test`.

    python tools/test.py CONFIG --protocol heads2_identity

One photo of each person, at 128 px. Identity is measured by `FaceRes`, by which nothing was
trained; in the photo's view, frontal, and at 30 degrees to both sides.
"""

from mmengine.config import read_base

from l2rkit.metrics import FaceRetrieval

with read_base():
    from ..datasets.heads2_128 import *

protocol = "heads 2, identity, 128 px"
test_dataloader["dataset"] = dict(
    type=DetailedHeads,
    split="test",
    size=200,
    image_size=128,
    photos_per_person=1,
    pipeline=[dict(type=PackPhoto)],
)
test_evaluator = [dict(type=FaceRetrieval)]
