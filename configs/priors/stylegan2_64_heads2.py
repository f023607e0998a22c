"""StyleGAN2 of clean synthetic heads of version 2, 64 px: that of version 1, trained on.

Ours: with a published discriminator from random weights, which was still at chance after 130 steps,
this would take hours; so the discriminator has pretrained features, and an anchor keeps the faces.
"""

from mmengine.config import read_base

from l2rkit.data import DetailedHeads
from l2rkit.losses import MobileNetFeatures
from l2rkit.priors import ProjectedDiscriminator

with read_base():
    from .stylegan2_64_heads import *

protocol = "images like heads 2, 64 px"
load_from = None
model["generator"] = dict(type=StyleGAN2, weights="stylegan2_64_heads", frozen=False)
model["discriminator"] = dict(type=ProjectedDiscriminator, features=dict(type=MobileNetFeatures))
model.pop("augment")
model.update(gamma=0.1, path_weight=0.0, anchor=5.0)
optim_wrapper["generator"]["optimizer"].update(lr=3e-4)
optim_wrapper["discriminator"]["optimizer"].update(lr=5e-4)
train_dataloader["dataset"].update(type=DetailedHeads, size=8_000)
val_dataloader["dataset"].update(type=DetailedHeads)
test_dataloader["dataset"].update(type=DetailedHeads)
default_hooks["checkpoint"].update(interval=100, max_keep_ckpts=2)
train_cfg.update(max_iters=600, val_interval=100)
