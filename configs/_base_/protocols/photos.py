"""Photos without ground truth: a folder of face crops.

    python tools/test.py CONFIG --protocol photos \\
        --cfg-options protocol="holiday photos" test_dataloader.dataset.data_root=FOLDER
"""

from mmengine.config import read_base

from l2rkit.data import LoadPhoto, PackPhoto, PhotoFolder, ResizeFace
from l2rkit.metrics import RenderErrors, Symmetry

with read_base():
    from ..loaders import *

protocol = "photos of a folder, 64 px"
model = dict(render=dict(size=64))  # also for methods whose faces are larger
test_dataloader = dict(
    **test_loader,
    batch_size=10,
    dataset=dict(
        type=PhotoFolder,
        data_root="data/photos",
        pipeline=[dict(type=LoadPhoto), dict(type=ResizeFace, image_size=64), dict(type=PackPhoto)],
    ),
)
test_evaluator = [dict(type=RenderErrors), dict(type=Symmetry)]
