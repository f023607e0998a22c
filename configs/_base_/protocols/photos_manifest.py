"""Photos without ground truth: those of a manifest in OPENFACES_ROOT (docs/datasets.md).

    python tools/test.py CONFIG --protocol photos_manifest

Identity is measured by `FaceRes`, by which nothing was trained.
"""

from mmengine.config import read_base

from l2rkit.data import CropByLandmarks, EachAlone, LoadPhoto, ManifestPhotos, PackPhoto, ResizeFace
from l2rkit.identity import FaceRes
from l2rkit.metrics import RenderErrors, Symmetry, TurnedIdentity

with read_base():
    from .photos import *

protocol = "photos of a manifest, 64 px"
test_dataloader["dataset"] = dict(
    type=ManifestPhotos,
    split="test",
    pipeline=[
        dict(type=EachAlone),  # methods for photo sets get one photo at a time
        dict(type=LoadPhoto),
        dict(type=CropByLandmarks, image_size=128),
        dict(type=ResizeFace, image_size=64),
        dict(type=PackPhoto),
    ],
)
test_evaluator = [
    dict(type=RenderErrors),
    dict(type=Symmetry),
    dict(type=TurnedIdentity, identity=dict(type=FaceRes)),
]
