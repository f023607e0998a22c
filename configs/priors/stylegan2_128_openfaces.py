"""StyleGAN2 of photos of people, 128 px: `stylegan2_64_openfaces` and one size more."""

from mmengine.config import read_base

with read_base():
    from .stylegan2_64_openfaces import *

protocol = "images like photos, 128 px"
# 256 channels up to 16 px, then 128, 64, 32
model["generator"].update(size=128, multiplier=0.5)
model["discriminator"].update(size=128, multiplier=0.5)
photo_pipeline = [
    dict(type=LoadPhoto),
    dict(type=CropByLandmarks, image_size=128),
    dict(type=PackPhoto),
]
train_dataloader["dataset"].update(pipeline=photo_pipeline)
val_dataloader["dataset"].update(pipeline=photo_pipeline)
test_dataloader["dataset"].update(pipeline=photo_pipeline)
