"""StyleGAN2 of clean synthetic heads, 64 px, with the settings of `stylegan2_64_openfaces`."""

from mmengine.config import read_base

from l2rkit.data import SyntheticHeads

with read_base():
    from .stylegan2_64_openfaces import *

protocol = "images like heads, 64 px"
# Ours: it continues 3,000 steps on photos of people; from scratch it had no face after 2,500 steps.
load_from = "work_dirs/stylegan2_64_openfaces/iter_3000.pth"
head_pipeline = [dict(type=ResizeFace, image_size=64), dict(type=PackPhoto)]
train_dataloader["dataset"] = dict(
    type=SyntheticHeads, split="train", size=40_000, pipeline=head_pipeline
)
val_dataloader["dataset"] = dict(type=SyntheticHeads, split="val", size=512, pipeline=head_pipeline)
test_dataloader["dataset"] = dict(
    type=SyntheticHeads, split="test", size=1000, pipeline=head_pipeline
)
