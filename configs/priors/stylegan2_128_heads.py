"""StyleGAN2 of clean synthetic heads, 128 px: `stylegan2_64_heads` grown by one resolution."""

from mmengine.config import read_base

from l2rkit.data import SyntheticHeads

with read_base():
    from .stylegan2_128_openfaces import *

protocol = "images like heads, 128 px"
model["generator"].update(weights="stylegan2_64_heads")
model.update(gamma=0.1, anchor=40.0)  # smoother images: heads have fewer details
head_pipeline = [dict(type=PackPhoto)]
train_dataloader["dataset"] = dict(
    type=SyntheticHeads, split="train", size=8_000, image_size=128, pipeline=head_pipeline
)
val_dataloader["dataset"] = dict(
    type=SyntheticHeads, split="val", size=512, image_size=128, pipeline=head_pipeline
)
test_dataloader["dataset"] = dict(
    type=SyntheticHeads, split="test", size=1000, image_size=128, pipeline=head_pipeline
)
train_cfg.update(max_iters=500, val_interval=100)
