"""Cross-view on scans such as MICC Florence, drawn by tools/dataset_converters/scans.py.

python tools/test.py CONFIG --protocol cross_view_scans
"""

from mmengine.config import read_base

from l2rkit.data import LoadPhoto, PackPhoto, ResizeFace, TexturedScans

with read_base():
    from .cross_view import *

protocol = "cross-view, scans, 64 px"
test_dataloader["dataset"] = dict(
    type=TexturedScans,
    data_root="data/scans_drawn",
    split="test",
    pipeline=[dict(type=LoadPhoto), dict(type=ResizeFace, image_size=64), dict(type=PackPhoto)],
)
