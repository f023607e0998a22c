"""Held-out photos of people: pose, shape, identity and picture, against the clean photo.

    python tools/test.py CONFIG --protocol people --level severe

The 620 photos are those of the validation and test splits of a manifest in OPENFACES_ROOT
(docs/datasets.md). Ground truth are FaceMesh's landmarks of the clean photo. The figures are
explained in docs/protocols.md.
"""

from mmengine.config import read_base

from l2rkit.data import (
    CropByLandmarks,
    EachAlone,
    FindLandmarks,
    LoadPhoto,
    ManifestPhotos,
    PackPhoto,
)
from l2rkit.metrics import FaceRegionErrors, FaceRetrieval, PoseErrors, ShapeErrors

with read_base():
    from ..loaders import *

protocol = "people, 128 px"
model = dict(render=dict(size=128))  # for every method, so that renderings have the photos' size
test_dataloader = dict(
    **test_loader,
    batch_size=31,
    dataset=dict(
        type=ManifestPhotos,
        split=("val", "test"),
        pipeline=[
            dict(type=EachAlone),  # methods for photo sets get one photo at a time
            dict(type=LoadPhoto),
            dict(type=CropByLandmarks, image_size=128),
            dict(type=FindLandmarks, cache="data/landmarks"),
            dict(type=PackPhoto, labels=("source", "colour")),
        ],
    ),
)
test_evaluator = [
    dict(type=FaceRetrieval, turned_every=4, cache="work_dirs/people"),
    dict(type=PoseErrors),
    dict(type=ShapeErrors),
    dict(type=FaceRegionErrors),
]
