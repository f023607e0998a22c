"""`unsup3d_heads2_steady` with views for photos of people. It has seen heads only.

Its teacher tells a head's turn by where it stands, which aligned photos do not show. Photos are
moved, so that the place says nothing, and degraded; the teacher sees them as they were. Colours are
those of many cameras and old prints. Only views are trained.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR

from l2rkit.data import Degrade, FlipFace, PackPhoto, ResizeFace
from l2rkit.decompose import EquivariantDecomposer
from l2rkit.degrade import ColourJitter, Compose, Greyscale, RandomApply
from l2rkit.losses import ViewDistillation
from l2rkit.view_student import ViewStudent

with read_base():
    from .._base_.datasets.heads_degraded import degradation, severe_pipeline
    from .unsup3d_heads2_steady import *
    from .._base_.view_distillation import *  # isort: skip

load_from = "work_dirs/unsup3d_heads2_steady/iter_600.pth"
model.update(type=ViewStudent, shift=0.03, roll_deg=8.0)
model["decompose"].update(type=EquivariantDecomposer)
model["losses"] = dict(views=dict(type=ViewDistillation, teachers=teachers, mirror=True))
colours = [
    dict(type=ColourJitter),
    dict(type=RandomApply, probability=0.3, part=dict(type=Greyscale)),
]
train_dataloader["dataset"]["pipeline"] = [
    dict(type=ResizeFace, image_size=image_size),
    dict(type=FlipFace, prob=0.5),
    dict(type=Degrade, degradation=dict(type=Compose, parts=[*colours, degradation])),
    dict(type=PackPhoto),
]
val_dataloader["dataset"]["pipeline"] = severe_pipeline
custom_hooks = [average, panels]
train_dataloader.update(batch_size=64)
param_scheduler = [dict(type=CosineAnnealingLR, T_max=5000, eta_min=1e-5, by_epoch=False)]
default_hooks["checkpoint"].update(interval=500, max_keep_ckpts=1)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=5000, val_interval=500)
