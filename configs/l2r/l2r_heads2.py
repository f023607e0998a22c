"""L2R on synthetic heads of version 2 at 128 pixels, trained on a CPU.

The third stage, after `l2r_heads2_views` and `l2r_heads2_prior`, whose geometry, light and views it
keeps. As for people, the restored photo is unwrapped onto the face; where it shows nothing, the
prior's albedo takes its place, and a U-Net corrects the whole.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR, LinearLR

from l2rkit.engine import ChannelsLast
from l2rkit.identity import FaceEmbedding
from l2rkit.losses import Identity
from l2rkit.metrics import FaceRetrieval, RenderErrors
from l2rkit.priors import ProjectedDiscriminator
from l2rkit.refine import UnlitAlbedo

with read_base():
    from .l2r_heads2_prior import *

protocol = "heads 2, 128 px"
load_from = "work_dirs/l2r_heads2_prior/iter_600.pth"
load_only = (
    *("decompose.depth", "decompose.albedo", "decompose.light", "decompose.view"),
    *("refine.albedo", "refine.geometry"),
)
model["refine"]["photo"] = dict(type=UnlitAlbedo, begin="face_restorer")
for name in ("albedo", "teacher"):
    model["losses"].pop(name)
model["decompose"].update(confidence=False)  # it was learnt for the prior's albedo
model["losses"]["photometric"].update(mirror=0.0, weight=10.0)
model["losses"]["perceptual"].update(mirror=0.0, weight=2.0)
model["losses"]["identity"] = dict(type=Identity, embedding=dict(type=FaceEmbedding), weight=0.6)
model["adversary"].update(weight=0.02, r1=0.05)
model["adversary"]["discriminator"] = dict(
    type=ProjectedDiscriminator, features=dict(type=MobileNetFeatures), condition=6
)
train_dataloader.update(batch_size=12)
train_dataloader["dataset"].update(
    size=6_000,
    image_size=128,
    pipeline=degraded_ending,
)
val_dataloader.update(batch_size=20)
val_dataloader["dataset"].update(
    size=200,
    image_size=128,
    fields=("img",),
    photos_per_person=1,
    pipeline=severe_ending,
)
test_dataloader.update(batch_size=20)
test_dataloader["dataset"].update(size=300, image_size=128, pipeline=[dict(type=PackPhoto)])
val_evaluator = [dict(type=RenderErrors), dict(type=FaceRetrieval)]
custom_hooks = [
    dict(
        type=Freeze,
        parts=["restore", "decompose", "refine.albedo", "refine.geometry"],
    ),
    average,
    dict(type=ChannelsLast),
    panels,
]
optim_wrapper["others"].update(optimizer=dict(type=Adam, lr=2e-4))
optim_wrapper["adversary"]["optimizer"].update(lr=5e-4)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=20, by_epoch=False),
    dict(type=CosineAnnealingLR, T_max=600, eta_min=1e-5, begin=0, end=600, by_epoch=False),
]
train_cfg.update(max_iters=600, val_interval=200)
