"""StyleGAN2 of photos of people, 128 px: `stylegan2_64_openfaces` grown by one resolution.

    python tools/train.py configs/priors/stylegan2_128_openfaces.py

It begins with the shipped weights. A published discriminator, trained from scratch, was at chance
level for 400 steps, while the generator forgot its faces. So this one has pretrained features.
"""

from mmengine.config import read_base

from l2rkit.losses import MobileNetFeatures
from l2rkit.priors import GrownStyleGAN2, ProjectedDiscriminator

with read_base():
    from .stylegan2_64_openfaces import *

protocol = "images like photos, 128 px"
model["generator"] = dict(
    type=GrownStyleGAN2, weights="stylegan2_64_openfaces", size=128, frozen=False
)
model["discriminator"] = dict(type=ProjectedDiscriminator, features=dict(type=MobileNetFeatures))
model["gamma"] = 0.05
# Ours: only the layers of the new size are trained. With all layers, faces were gone after 100
# steps; with the old layers at a fiftieth of the rate and no anchor, distorted after 200.
model["anchor"] = 20.0
optim_wrapper["discriminator"]["optimizer"].update(lr=5e-4)
photo_pipeline = [
    dict(type=LoadPhoto),
    dict(type=CropByLandmarks, image_size=128),
    dict(type=PackPhoto),
]
train_dataloader["dataset"].update(pipeline=photo_pipeline)
val_dataloader["dataset"].update(pipeline=photo_pipeline)
test_dataloader["dataset"].update(pipeline=photo_pipeline)
train_cfg.update(max_iters=250, val_interval=50)  # longer training adds lines that no photo has
