"""Evaluates restorers alone on photos of people outside the training set.

    python tools/test.py configs/restore/photos.py --level severe --restore FaceRestorer

The photos are those of a manifest in OPENFACES_ROOT (docs/datasets.md). ID similarity is that of
`FaceRes`, which no training uses.
"""

from mmengine.config import read_base
from mmengine.runner import TestLoop

from l2rkit.data import CropByLandmarks, LoadPhoto, ManifestPhotos, PackPhoto
from l2rkit.identity import FaceRes
from l2rkit.metrics import PhotoErrors
from l2rkit.restore import PhotoRestorer

with read_base():
    from .._base_.default_runtime import *
    from .._base_.loaders import *

protocol = "photos, 128 px"
model = dict(type=PhotoRestorer)
test_dataloader = dict(
    **test_loader,
    batch_size=10,
    dataset=dict(
        type=ManifestPhotos,
        split="test",
        indices=96,  # the first ones are sharp and in colour; others are bad photos themselves
        pipeline=[
            dict(type=LoadPhoto),
            dict(type=CropByLandmarks, image_size=128),
            dict(type=PackPhoto),
        ],
    ),
)
test_evaluator = dict(type=PhotoErrors, identity=dict(type=FaceRes))
test_cfg = dict(type=TestLoop)
