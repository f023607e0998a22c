"""L2R at 256 px, which we assume to be the paper's size, with an FFHQ prior.

The parts are those of `l2r_openfaces`. We do not know the paper's training settings; all here are
ours. Landmarks of the good photos, for the geometry losses, are computed on loading and cached in
data/landmarks. Needs CelebA-HQ and a StyleGAN2 of FFHQ at 256 px, in any layout that the
reader knows (docs/datasets.md), and GPUs:

    python tools/train.py configs/l2r/l2r_celeba.py \\
        --cfg-options model.refine.albedo.prior.weights=ffhq-256.pt

To try it on a CPU, add `train_dataloader.batch_size=2 train_dataloader.num_workers=1`: the first
step ends after 35 s on 2 cores and needs 5 GB; one of 4 photos needs 8 GB.
"""

from mmengine.config import read_base
from mmengine.hooks import EMAHook
from mmengine.runner import IterBasedTrainLoop
from torch.optim import Adam

from l2rkit.adversary import Adversary
from l2rkit.data import (
    CelebAHQ,
    CropBox,
    Degrade,
    FindLandmarks,
    FlipFace,
    LoadPhoto,
    PackPhoto,
    ResizeFace,
)
from l2rkit.decompose import FaceMeshDecomposer
from l2rkit.degrade import DegradationRecipe
from l2rkit.engine import Stages
from l2rkit.identity import FaceEmbedding
from l2rkit.landmarks import FaceMesh
from l2rkit.losses import (
    AlbedoRegularity,
    Displacement,
    Identity,
    LandmarkDistillation,
    MobileNetFeatures,
    Perceptual,
    Photometric,
)
from l2rkit.model import FaceReconstructor
from l2rkit.priors import OptimizerForEach, StyleGAN2, StyleGAN2Discriminator
from l2rkit.refine import FittedLight, RefinedGeometry, UnwrappedAlbedo
from l2rkit.render import GridRenderer
from l2rkit.restore import FaceRestorer

with read_base():
    from .._base_.default_runtime import *
    from .._base_.loaders import *

data_root = "data/celebahq"
model = dict(
    type=FaceReconstructor,
    decompose=dict(
        type=FaceMeshDecomposer,
        image_size=128,
        landmarks=dict(type=FaceMesh, rounds=2, mirrored=False),
        restore=dict(type=FaceRestorer),
    ),
    refine=dict(
        # random without weights, to try the pipeline
        albedo=dict(
            type=UnwrappedAlbedo,
            prior=dict(type=StyleGAN2, size=256),
            image_size=256,
            widths=(32, 64, 128, 256, 256),
        ),
        geometry=dict(type=RefinedGeometry, widths=(32, 64, 128, 256, 256)),
        light=dict(type=FittedLight),
    ),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.0),
        perceptual=dict(
            type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.0, weight=2.0
        ),
        identity=dict(type=Identity, embedding=dict(type=FaceEmbedding), weight=0.2, turned=1.0),
        landmarks=dict(type=LandmarkDistillation, view=0.0, depth=30.0, outside=3.0, slope=30.0),
        displacement=dict(type=Displacement),
        albedo=dict(type=AlbedoRegularity),
    ),
    adversary=dict(
        type=Adversary,
        weight=0.02,
        discriminator=dict(type=StyleGAN2Discriminator, size=256, condition=6),
    ),
    precision="bfloat16",
)
custom_hooks = [
    dict(
        type=Stages,
        stages={0: ["refine.albedo"], 20_000: ["refine.albedo", "refine.geometry"]},
    ),
    dict(type=EMAHook, momentum=0.001),
]
train_dataloader = dict(
    train_loader,
    batch_size=16,
    num_workers=4,
    dataset=dict(
        type=CelebAHQ,
        data_root=data_root,
        split="train",
        pipeline=[
            dict(type=LoadPhoto),
            dict(type=CropBox),
            dict(type=ResizeFace, image_size=256),
            dict(type=FindLandmarks, cache="data/landmarks"),
            dict(type=FlipFace, prob=0.5),
            dict(type=Degrade, degradation=dict(type=DegradationRecipe, name="l2r")),
            dict(type=PackPhoto),
        ],
    ),
)
optim_wrapper = dict(
    constructor=OptimizerForEach,
    others=dict(optimizer=dict(type=Adam, lr=1e-4), clip_grad=dict(max_norm=1.0)),
    adversary=dict(optimizer=dict(type=Adam, lr=1e-3, betas=(0.0, 0.99))),
)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=100_000)
