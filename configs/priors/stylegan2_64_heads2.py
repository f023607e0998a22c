"""StyleGAN2 of clean synthetic heads of version 2, 64 px: `stylegan2_64_heads` trained on.

Only the generator's weights are shipped, so the discriminator starts anew. Until it has learnt,
the generator is held to its first images.
"""

from mmengine.config import read_base

from l2rkit.data import DetailedHeads

with read_base():
    from .stylegan2_64_heads import *

protocol = "images like heads 2, 64 px"
load_from = None
model["generator"].update(weights="stylegan2_64_heads")
model.update(anchor=4.0, half_life=3_000)  # the run is short
train_dataloader["dataset"].update(type=DetailedHeads, size=16_000)
val_dataloader["dataset"].update(type=DetailedHeads)
test_dataloader["dataset"].update(type=DetailedHeads)
default_hooks["checkpoint"].update(interval=200, max_keep_ckpts=1)
train_cfg.update(max_iters=600, val_interval=200)
