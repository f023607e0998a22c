"""LAP on CelebA: published networks at 128 px, sets of photos by CelebA's identity file.

We do not know the paper's losses and schedule. Unsup3D's losses on every photo, then relaxed
consistency, are ours. It needs the data set (docs/datasets.md), and GPUs to finish within days.
"""

from mmengine.config import read_base
from mmengine.runner import IterBasedTrainLoop
from torch.optim import Adam

from l2rkit.data import (
    CelebA,
    CropBox,
    FlipFace,
    LoadPhoto,
    PackPhoto,
    PersonSampler,
    PhotoCollections,
    ResizeFace,
)
from l2rkit.decompose import LAPDecomposer
from l2rkit.engine import GuardedOptimWrapper, Schedule
from l2rkit.losses import MobileNetFeatures, Perceptual, Photometric, RelaxedConsistency
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer

with read_base():
    from .._base_.default_runtime import *
    from .._base_.loaders import *

data_root = "data/celeba"
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=LAPDecomposer, image_size=128, width=64, encoder_width=32),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.5),
        perceptual=dict(type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.5),
        consistency=dict(type=RelaxedConsistency, weight=0.5),
    ),
)
custom_hooks = [
    dict(
        type=Schedule,
        changes={
            # The paper's two stages: first the shared face, then each photo's own.
            "decompose.refined": {0: False, 60_000: True},
            "losses.consistency.weight": {0: 0.0, 60_000: 5.0, 62_000: 0.5},
        },
    ),
]
train_dataloader = dict(
    train_loader,
    batch_size=32,
    num_workers=4,
    # sets grow, as in the paper; their sizes, and single photos, are ours
    sampler=dict(type=PersonSampler, photos={0: 1, 4: (2, 2, 1, 1, 1, 1), 8: (4, 2, 1, 1)}),
    dataset=dict(
        type=PhotoCollections,
        photos=dict(type=CelebA, data_root=data_root, split="train"),
        min_photos=1,
        pipeline=[
            dict(type=LoadPhoto),
            dict(type=CropBox),
            dict(type=ResizeFace, image_size=128),
            dict(type=FlipFace, prob=0.5),
            dict(type=PackPhoto),
        ],
    ),
)
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=1e-4, betas=(0.9, 0.999), weight_decay=5e-4),
    clip_grad=dict(max_norm=1.0),  # without it, training Unsup3D has collapsed
)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=90_000)
