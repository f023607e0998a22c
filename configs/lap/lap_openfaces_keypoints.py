"""LAP's networks on bad photos of people, also distilled from landmarks of the clean photos.

A baseline of `l2r_openfaces` with equal supervision (ours): the same photos, degradations and
keypoints. Each person has one photo, so LAP's consistency within a set does not apply. It continues
`lap_heads_degraded`.
"""

from mmengine.config import read_base

from l2rkit.data import EachAlone
from l2rkit.decompose import RobustLAPDecomposer

with read_base():
    from ..unsup3d.unsup3d_openfaces_keypoints import *

load_from = "work_dirs/lap_heads_degraded/iter_1500.pth"
model["decompose"] = dict(type=RobustLAPDecomposer, image_size=64, width=12, encoder_width=14)
train_dataloader["dataset"]["pipeline"] = [dict(type=EachAlone), *bad_pipeline]
val_dataloader["dataset"]["pipeline"] = [dict(type=EachAlone), *bad_at_severe]
test_dataloader["dataset"]["pipeline"] = [dict(type=EachAlone), *bad_at_severe]
