"""L2R for photos of people at 128 pixels: albedo, geometry and light, trained together.

It continues `l2r_openfaces_unwrapped`. Albedo and geometry are refined together: geometry is
compared with the landmarks of the good photo, and a 3D-aware adversary sees renderings in other
views. Then light is divided out of the albedo.
"""

from mmengine.config import read_base
from mmengine.optim import MultiStepLR
from torch.optim import Adam

from l2rkit.adversary import Adversary
from l2rkit.engine import Schedule
from l2rkit.landmarks import FaceMesh, LandmarkCorrection
from l2rkit.losses import AlbedoRegularity, Displacement, LandmarkDistillation
from l2rkit.priors import OptimizerForEach, ProjectedDiscriminator
from l2rkit.refine import FittedLight, RefinedGeometry

with read_base():
    from .._base_.datasets.people_degraded import bad_pipeline
    from .l2r_openfaces_unwrapped import *

load_from = "work_dirs/l2r_openfaces_unwrapped/iter_1000.pth"
load_only = ("decompose", "refine.albedo")
# The shipped weights were trained with the quicker looks of `l2r_openfaces_unwrapped`, uncorrected.
model["decompose"]["landmarks"] = dict(type=FaceMesh)
model["decompose"]["correct"] = dict(type=LandmarkCorrection)
model["refine"].update(
    geometry=dict(type=RefinedGeometry, widths=(16, 32, 64, 96, 128)),
    light=dict(type=FittedLight),
)
model["losses"]["photometric"]["weight"] = 4.0  # with 1, faces were sharper than the photo allows
custom_hooks.append(dict(type=Schedule, changes={"losses.photometric.weight": {0: 4.0, 900: 15.0}}))
model["losses"].update(
    landmarks=dict(type=LandmarkDistillation, view=0.0, depth=30.0, outside=3.0, slope=30.0),
    displacement=dict(type=Displacement),
    albedo=dict(type=AlbedoRegularity, symmetry=0.1),
)
model["adversary"] = dict(
    type=Adversary,
    weight=0.02,
    r1=0.05,
    discriminator=dict(
        type=ProjectedDiscriminator, features=dict(type=MobileNetFeatures), condition=6
    ),
)
train_dataloader["dataset"]["pipeline"] = bad_pipeline
optim_wrapper = dict(
    constructor=OptimizerForEach,
    others=dict(
        optimizer=dict(type=Adam, lr=1e-4),
        paramwise_cfg=dict(custom_keys={"refine.geometry": dict(lr_mult=5.0)}),  # from scratch
        clip_grad=dict(max_norm=1.0),
    ),
    adversary=dict(optimizer=dict(type=Adam, lr=5e-4, betas=(0.0, 0.99))),
)
param_scheduler = [dict(type=MultiStepLR, milestones=[1150], gamma=0.2, by_epoch=False)]
train_cfg.update(max_iters=1300, val_interval=650)
