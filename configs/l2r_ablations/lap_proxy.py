"""L2R with LAP on bad photos, one at a time, as the proxy in place of Unsup3D."""

from mmengine.config import read_base

from l2rkit.data import EachAlone
from l2rkit.decompose import LAPDecomposer

with read_base():
    from .full import *

# The heads have several photos of each person, which LAP would see together.
val_dataloader["dataset"]["pipeline"] = [dict(type=EachAlone), *severe_pipeline]
test_dataloader["dataset"]["pipeline"] = [dict(type=EachAlone), *test_pipeline]
load_from = "work_dirs/lap_heads_degraded/iter_1500.pth"
model["decompose"] = dict(type=LAPDecomposer, image_size=64, width=12, encoder_width=14)
