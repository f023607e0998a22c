"""The lower bound of the error on heads of version 2: the same network, fully supervised.

It is trained on true depth and normals, which photos do not have, so it is no method for photos.
Its supervision is `I, 3D`. Not trained yet.
"""

from mmengine.config import read_base

from l2rkit.losses import TrueGeometry

with read_base():
    from .unsup3d_heads2 import *

load_from = None
model["losses"] = dict(
    geometry=dict(type=TrueGeometry),
    # Symmetry puts the canonical face into the middle and says what is albedo; no label does.
    photometric=dict(type=Photometric, mirror=0.5),
    views=dict(type=ZeroMeanPose, weight=2.0),
)
custom_hooks = [dict(type=EMAHook, momentum=0.01), dict(type=PanelHook, interval=500)]
train_dataloader["dataset"].update(fields=("img", "depth", "normal", "mask"))
