"""L2R for people at 128 pixels: restores the photo unwrapped onto the proxy's face.

The proxy is that of FaceMesh on the photo restored by `FaceRestorer`; neither is trained here. The
photos are those of a manifest in OPENFACES_ROOT (docs/datasets.md), degraded; losses compare with
the good ones.
"""

from mmengine.config import read_base
from mmengine.hooks import EMAHook
from mmengine.optim import CosineAnnealingLR, LinearLR
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.data import CropByLandmarks, LoadPhoto, ManifestPhotos, PackPhoto
from l2rkit.decompose import FaceMeshDecomposer
from l2rkit.engine import ChannelsLast, GuardedOptimWrapper
from l2rkit.identity import FaceEmbedding
from l2rkit.landmarks import FaceMesh
from l2rkit.losses import Identity, MobileNetFeatures, Perceptual, Photometric
from l2rkit.metrics import RenderErrors
from l2rkit.model import FaceReconstructor
from l2rkit.priors import GrownStyleGAN2
from l2rkit.refine import UnwrappedAlbedo
from l2rkit.render import GridRenderer
from l2rkit.restore import FaceRestorer
from l2rkit.viz import PanelHook

with read_base():
    from .._base_.datasets.heads_degraded import *
    from .._base_.default_runtime import *

protocol = "heads, 128 px"
model = dict(
    type=FaceReconstructor,
    decompose=dict(
        type=FaceMeshDecomposer,
        image_size=128,
        landmarks=dict(type=FaceMesh, rounds=2, mirrored=False),  # faster; tests use the defaults
        restore=dict(type=FaceRestorer),
    ),
    refine=dict(
        albedo=dict(
            type=UnwrappedAlbedo,
            begin="face_restorer",
            prior=dict(
                type=GrownStyleGAN2,
                weights="stylegan2_64_openfaces",
                size=128,
                grown="stylegan2_128_openfaces",
            ),
        )
    ),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.0),
        perceptual=dict(
            type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.0, weight=2.0
        ),
        identity=dict(type=Identity, embedding=dict(type=FaceEmbedding), weight=0.2, turned=1.0),
    ),
    precision="bfloat16",
)
photo_pipeline = [dict(type=LoadPhoto), dict(type=CropByLandmarks, image_size=128)]
train_dataloader.update(batch_size=12)
train_dataloader["dataset"] = dict(
    type=ManifestPhotos,
    split="train",
    pipeline=[*photo_pipeline, *degraded_ending],
)
val_dataloader.update(batch_size=20)
val_dataloader["dataset"] = dict(
    type=ManifestPhotos,
    split="val",
    pipeline=[*photo_pipeline, *severe_ending],
)
val_evaluator = dict(type=RenderErrors)
test_dataloader["dataset"].update(image_size=128, pipeline=[dict(type=PackPhoto)])
average = dict(type=EMAHook, momentum=0.005)
panels = dict(type=PanelHook, interval=300)
custom_hooks = [average, dict(type=ChannelsLast), panels]
optim_wrapper = dict(
    type=GuardedOptimWrapper, optimizer=dict(type=Adam, lr=2e-4), clip_grad=dict(max_norm=1.0)
)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=50, by_epoch=False),
    dict(type=CosineAnnealingLR, T_max=2000, eta_min=1e-5, begin=0, end=2000, by_epoch=False),
]
# l2r_openfaces continues from here.
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1000, val_interval=500)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
