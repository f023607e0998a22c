"""L2R on synthetic heads at 64 pixels, trained on a CPU.

It starts from `unsup3d_heads_degraded_distilled`, to be trained first. README.md here says what is
the paper's and what is ours.
"""

from mmengine.config import read_base
from mmengine.hooks import EMAHook
from mmengine.optim import MultiStepLR
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.adversary import Adversary
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine import Stages
from l2rkit.losses import (
    AlbedoRegularity,
    CycleConsistency,
    Displacement,
    Distillation,
    MobileNetFeatures,
    Perceptual,
    Photometric,
    PitchPrior,
    ZeroMeanPose,
)
from l2rkit.model import FaceReconstructor
from l2rkit.priors import OptimizerForEach, StyleGAN2, StyleGAN2Discriminator
from l2rkit.refine import PriorAlbedo, RefinedGeometry
from l2rkit.render import GridRenderer
from l2rkit.viz import PanelHook

with read_base():
    from .._base_.datasets.heads_degraded import *
    from .._base_.default_runtime import *

load_from = "work_dirs/unsup3d_heads_degraded_distilled/iter_2500.pth"
load_only = ("decompose",)
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=Unsup3DDecomposer, image_size=64, width=16, encoder_width=16),
    refine=dict(
        albedo=dict(type=PriorAlbedo, prior=dict(type=StyleGAN2, weights="stylegan2_64_heads")),
        geometry=dict(type=RefinedGeometry),
    ),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.5),
        perceptual=dict(type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.5),
        albedo=dict(type=AlbedoRegularity),
        displacement=dict(type=Displacement),
        # Ours: the shape that the teacher predicts from the good photo. The weight makes its
        # gradient some three times what the first two give depth.
        teacher=dict(
            type=Distillation,
            teachers={"configs/unsup3d/unsup3d_heads_stereo.py": "unsup3d_heads_stereo"},
            weight=300.0,
            albedo=0.0,  # which the prior restores
        ),
        # As for Unsup3D on heads: priors for what symmetry leaves open.
        cycle=dict(
            type=CycleConsistency, share=0.25, yaw_deg=50.0, pitch_deg=10.0, shift=0.008, maps=0.0
        ),
        views=dict(type=ZeroMeanPose, weight=2.0),
        upright=dict(type=PitchPrior, weight=2.0, lean_deg=-6.0),
    ),
    adversary=dict(
        type=Adversary,
        weight=0.5,
        discriminator=dict(
            type=StyleGAN2Discriminator, size=64, width=0.25, multiplier=0.5, condition=6
        ),
    ),
)
# Albedo first, then geometry, then both: the paper's mutual training; the steps are ours.
stages = dict(
    type=Stages,
    stages={
        0: ["refine.albedo"],
        250: ["refine.geometry"],
        400: ["refine.albedo", "refine.geometry"],
    },
)
average = dict(type=EMAHook, momentum=0.01)  # ours: errors vary less
panels = dict(type=PanelHook, interval=200)
custom_hooks = [stages, average, panels]
optim_wrapper = dict(
    constructor=OptimizerForEach,
    others=dict(
        optimizer=dict(type=Adam, lr=4e-4),
        # The proxy stays frozen: trained further, it would forget its teacher.
        paramwise_cfg=dict(custom_keys={"decompose": dict(lr_mult=0.0)}),
        clip_grad=dict(max_norm=1.0),
    ),
    adversary=dict(optimizer=dict(type=Adam, lr=1e-3, betas=(0.0, 0.99))),
)
train_dataloader.update(batch_size=16)
param_scheduler = [dict(type=MultiStepLR, milestones=[600], gamma=0.33, by_epoch=False)]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=700, val_interval=100)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
