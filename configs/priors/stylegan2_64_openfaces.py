"""StyleGAN2 of photos of people, 64 px, small enough for training on a CPU.

    python tools/train.py configs/priors/stylegan2_64_openfaces.py --amp

The photos are those of a manifest in OPENFACES_ROOT (docs/datasets.md). Differences from the paper
are marked 'ours', with the reason.
"""

from mmengine.config import read_base
from mmengine.dataset import InfiniteSampler, default_collate
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.data import CropByLandmarks, LoadPhoto, ManifestPhotos, PackPhoto, ResizeFace
from l2rkit.engine import ChannelsLast
from l2rkit.metrics import GeneratorDistance
from l2rkit.priors import (
    AdaptiveAugment,
    AdversarialPrior,
    OptimizerForEach,
    StyleGAN2,
    StyleGAN2Discriminator,
)
from l2rkit.viz import GridHook

with read_base():
    from .._base_.default_runtime import *
    from .._base_.loaders import *

protocol = "images like photos, 64 px"
model = dict(
    type=AdversarialPrior,
    generator=dict(
        type=StyleGAN2,
        size=64,
        # Ours: 256 channels up to 8 px, then 128, 64, 32; each resolution takes about as long.
        width=0.5,
        multiplier=0.25,
        latent=256,  # ours; published: 512
        mapping=4,  # layers; ours; published: 8
        frozen=False,
    ),
    discriminator=dict(type=StyleGAN2Discriminator, size=64, width=0.5, multiplier=0.25),
    augment=dict(type=AdaptiveAugment, images=200_000),  # ours: the run is short, the set small
    half_life=10_000,  # images
    noise="none",  # ours: at 64 px it became speckles, and L2R needs deterministic images
)
custom_hooks = [dict(type=ChannelsLast), dict(type=GridHook, interval=500, images=64)]
# Adam as in NVIDIA's later code for up to 512 px, 0.0025 and (0, 0.99), corrected as in the paper
# for lazy regularization: every 8th and every 16th step.
optim_wrapper = dict(
    constructor=OptimizerForEach,
    generator=dict(optimizer=dict(type=Adam, lr=0.0025 * 8 / 9, betas=(0.0, 0.9911))),
    discriminator=dict(optimizer=dict(type=Adam, lr=0.0025 * 16 / 17, betas=(0.0, 0.9906))),
)
# No step is random: training itself mirrors photos, so that a resumed run is the same.
photo_pipeline = [
    dict(type=LoadPhoto),
    dict(type=CropByLandmarks, image_size=128),
    dict(type=ResizeFace, image_size=64),  # by area averages, against aliasing
    dict(type=PackPhoto),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=InfiniteSampler, shuffle=True),
    dataset=dict(type=ManifestPhotos, split="train", pipeline=photo_pipeline),
)
# Ours: distances are to photos of people outside the training set, so memorization does not help.
val_dataloader = dict(
    **test_loader,
    batch_size=32,
    dataset=dict(type=ManifestPhotos, split="val", pipeline=photo_pipeline),
)
test_dataloader = dict(
    **test_loader,
    batch_size=32,
    dataset=dict(type=ManifestPhotos, split="test", pipeline=photo_pipeline),
)
val_evaluator = dict(type=GeneratorDistance)
test_evaluator = dict(type=GeneratorDistance)
# A step takes about 1.2 s of one core with AMX and --amp; 16,000 take about 3 hours of two.
# stylegan2_64_heads continues from step 3,000.
default_hooks["checkpoint"].update(interval=3000, max_keep_ckpts=6)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=16_000, val_interval=2000)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
