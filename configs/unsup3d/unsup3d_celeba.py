"""Unsup3D on CelebA as published (Wu et al., CVPR 2020): 64 pixels, full width, 30 epochs.

Needs CelebA on disk, and a GPU to end within days. What is ours is marked so.
"""

from mmengine.config import read_base
from mmengine.runner import IterBasedTrainLoop
from torch.optim import Adam

from l2rkit.data import CelebA, CropBox, FlipFace, LoadPhoto, PackPhoto, ResizeFace
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine import GuardedOptimWrapper
from l2rkit.losses import MobileNetFeatures, Perceptual, Photometric
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer

with read_base():
    from .._base_.default_runtime import *
    from .._base_.loaders import *

data_root = "data/celeba"
model = dict(
    type=FaceReconstructor,
    decompose=dict(
        type=Unsup3DDecomposer,
        image_size=64,
        width=64,
        encoder_width=32,
        max_rotation_deg=60.0,
        max_shift=(0.1, 0.1, 0.0),  # x, y, z; units of depth
    ),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.5),
        # Ours: the paper's extractor is VGG16Features, given torchvision's weight file.
        perceptual=dict(type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.5),
    ),
)

train_dataloader = dict(
    train_loader,
    batch_size=64,
    num_workers=4,
    dataset=dict(
        type=CelebA,
        data_root=data_root,
        split="train",
        pipeline=[
            dict(type=LoadPhoto),
            dict(type=CropBox),
            dict(type=ResizeFace, image_size=64),
            dict(type=FlipFace, prob=0.5),
            dict(type=PackPhoto),
        ],
    ),
)
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=1e-4, betas=(0.9, 0.999), weight_decay=5e-4),
    clip_grad=dict(max_norm=1.0),  # ours: training without it has collapsed
)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=76_000)  # 30 epochs of 162,770 photos
