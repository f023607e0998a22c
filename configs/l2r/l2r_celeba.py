"""L2R at the size that we take for the paper's: albedo and depth of 256 px from an FFHQ prior.

The paper's figures of training are not known to us; all here are ours. Needs CelebA-HQ and a
StyleGAN2 of FFHQ at 256 px, in any layout that the reader knows (docs/datasets.md), and GPUs:

    python tools/train.py configs/l2r/l2r_celeba.py \\
        --cfg-options model.refine.albedo.prior.weights=ffhq-256.pt \\
        --cfg-options load_from=PROXY.pth

PROXY is an Unsup3D of 64 px that was trained on bad photos; without one, the proxy starts at random
and there is no reason why it should become a face.
"""

from mmengine.config import read_base
from mmengine.dataset import DefaultSampler, default_collate
from mmengine.runner import IterBasedTrainLoop
from torch.optim import Adam

from l2rkit.adversary import Adversary
from l2rkit.data import CelebAHQ, CropBox, Degrade, FlipFace, LoadPhoto, PackPhoto, ResizeFace
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.degrade import Recipe
from l2rkit.losses import (
    AlbedoRegularity,
    CentredViews,
    CycleConsistency,
    Displacement,
    MobileNetFeatures,
    Perceptual,
    Photometric,
    Upright,
)
from l2rkit.model import FaceReconstructor
from l2rkit.priors import OptimizerForEach, StyleGAN2, StyleGAN2Discriminator
from l2rkit.refine import PriorAlbedo, RefinedGeometry
from l2rkit.render import GridRenderer
from l2rkit.schedule import Stages

with read_base():
    from .._base_.runtime import *

data_root = "data/celeba_hq"
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=Unsup3DDecomposer, image_size=64, width=64, encoder_width=32),
    refine=dict(
        # a random prior where no weights are named, to try the line out
        albedo=dict(type=PriorAlbedo, prior=dict(type=StyleGAN2, size=256), width=32),
        geometry=dict(type=RefinedGeometry, widths=(32, 64, 128, 256, 256)),
    ),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.5),
        perceptual=dict(type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.5),
        albedo=dict(type=AlbedoRegularity),
        displacement=dict(type=Displacement),
        cycle=dict(type=CycleConsistency, share=0.25),
        views=dict(type=CentredViews, weight=2.0),
        upright=dict(type=Upright, weight=0.5),
    ),
    adversary=dict(
        type=Adversary, discriminator=dict(type=StyleGAN2Discriminator, size=256, condition=6)
    ),
)
custom_hooks = [
    dict(
        type=Stages,
        stages={
            0: ["refine.albedo"],
            20_000: ["refine.geometry"],
            40_000: ["decompose", "refine.albedo", "refine.geometry"],
        },
    ),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=True),
    dataset=dict(
        type=CelebAHQ,
        data_root=data_root,
        split="train",
        pipeline=[
            dict(type=LoadPhoto),
            dict(type=CropBox),
            dict(type=ResizeFace, image_size=256),
            dict(type=FlipFace, prob=0.5),
            dict(type=Degrade, degradation=dict(type=Recipe, name="l2r")),
            dict(type=PackPhoto),
        ],
    ),
)
optim_wrapper = dict(
    constructor=OptimizerForEach,
    others=dict(
        optimizer=dict(type=Adam, lr=1e-4),
        paramwise_cfg=dict(custom_keys={"decompose": dict(lr_mult=0.5)}),
        clip_grad=dict(max_norm=1.0),
    ),
    adversary=dict(optimizer=dict(type=Adam, lr=1e-3, betas=(0.0, 0.99))),
)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=100_000)
