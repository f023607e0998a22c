"""The lower bound of the error on heads of version 2: the same network, fully supervised.

It is trained on true depth and normals, which photos do not have, so it is no method for photos.
It starts where `unsup3d_heads2` does. Its supervision is `I, 3D`.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR

from l2rkit.losses import TrueGeometry

with read_base():
    from .unsup3d_heads2 import *

model["losses"] = dict(
    geometry=dict(type=TrueGeometry),
    # Symmetry puts the canonical face into the middle and says what is albedo; no label does.
    photometric=dict(type=Photometric, mirror=0.5),
    views=dict(type=ZeroMeanPose, weight=2.0),
)
train_dataloader["dataset"].update(fields=("img", "depth", "normal", "mask"))
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=1e-3),  # labels allow a higher rate, as in distillation
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [dict(type=CosineAnnealingLR, T_max=600, eta_min=1e-5, by_epoch=False)]
