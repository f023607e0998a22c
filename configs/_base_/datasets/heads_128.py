"""Synthetic heads at 128 px, tested as at 64 px: for methods that give faces of that size.

python tools/test.py CONFIG --protocol heads_128
"""

from mmengine.config import read_base

from l2rkit.data import EachAlone

with read_base():
    from .heads import *

protocol = "heads, 128 px"
test_dataloader["dataset"].update(
    image_size=128,
    pipeline=[dict(type=EachAlone), dict(type=PackPhoto)],  # photo sets: one photo at a time
)
