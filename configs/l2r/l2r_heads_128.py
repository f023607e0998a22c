"""L2R on synthetic heads of 128 pixels: `l2r_heads`, whose proxy stays at 64.

Photos, albedo and geometry have twice its size; the prior is `stylegan2_128_heads`.
"""

from mmengine.config import read_base

from l2rkit.data import PackPhoto
from l2rkit.priors import GrownStyleGAN2, ProjectedDiscriminator

with read_base():
    from .l2r_heads import *

protocol = "heads, 128 px"
model["refine"]["albedo"]["prior"] = dict(
    type=GrownStyleGAN2, weights="stylegan2_64_heads", size=128, grown="stylegan2_128_heads"
)
model["refine"]["albedo"]["width"] = 8  # so 16 channels at 64 px, as there
model["refine"]["geometry"]["widths"] = (16, 32, 64, 96, 128)
# Ours: a discriminator on trained features, as for the prior; one from scratch learns too late.
model["adversary"].update(weight=0.1, r1=0.05)
model["adversary"]["discriminator"] = dict(
    type=ProjectedDiscriminator, features=dict(type=MobileNetFeatures), condition=6
)
optim_wrapper["adversary"]["optimizer"].update(lr=5e-4)
train_dataloader["dataset"].update(
    size=8_000,
    image_size=128,
    pipeline=degraded_ending,
)
val_dataloader["dataset"].update(
    image_size=128,
    pipeline=severe_ending,
)
test_dataloader["dataset"].update(image_size=128, pipeline=[dict(type=PackPhoto)])
