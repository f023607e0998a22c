"""Synthetic heads of version 2 at 128 px, where there is more detail to restore.

python tools/test.py CONFIG --protocol heads2_128
"""

from mmengine.config import read_base

with read_base():
    from .heads2 import *

protocol = "heads 2, 128 px"
model = dict(render=dict(size=128))
test_dataloader.update(batch_size=20)
test_dataloader["dataset"].update(
    size=300,
    image_size=128,
    pipeline=[
        dict(type=EachAlone),
        dict(type=FindLandmarks, cache="data/landmarks"),
        dict(type=PackPhoto),
    ],
)
