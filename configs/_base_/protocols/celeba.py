"""Photos without ground truth: CelebA's test split, laid out as docs/datasets.md says.

python tools/test.py CONFIG --protocol celeba
"""

from mmengine.config import read_base

from l2rkit.data import CelebA, CropBox, EachAlone, LoadPhoto, PackPhoto, ResizeFace

with read_base():
    from .photos import *

protocol = "CelebA photos, 64 px"
test_dataloader["dataset"] = dict(
    type=CelebA,
    data_root="data/celeba",
    split="test",
    pipeline=[
        dict(type=EachAlone),  # methods for photo sets get one photo at a time
        dict(type=LoadPhoto),
        dict(type=CropBox),
        dict(type=ResizeFace, image_size=64),
        dict(type=PackPhoto),
    ],
)
