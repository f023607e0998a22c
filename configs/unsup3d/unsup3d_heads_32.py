"""The first, coarse stage of `unsup3d_heads`: most of the learning, at 32 pixels.

What differs from the paper is marked 'ours', with its reason.
"""

from mmengine.config import read_base
from mmengine.optim import OptimWrapper
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.losses import CentredViews, MobileNetFeatures, Perceptual, Photometric
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from l2rkit.schedule import Schedule
from l2rkit.viz import PanelHook

with read_base():
    from .._base_.heads import *
    from .._base_.runtime import *

train_dataloader.dataset.pipeline[0].update(image_size=32)
val_dataloader.dataset.pipeline[0].update(image_size=32)
test_dataloader.dataset.pipeline[0].update(image_size=32)

model = dict(
    type=FaceReconstructor,
    decompose=dict(
        type=Unsup3DDecomposer,
        image_size=32,
        width=16,  # ours: a quarter of the published width trains on a CPU
        encoder_width=16,
        view_gain=0.05,  # ours: a small network's view stays asleep under the published start
    ),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.5),
        perceptual=dict(type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.5),
        views=dict(type=CentredViews, weight=0.2),  # ours: pitch runs to its limit without
    ),
)

custom_hooks = [
    # Ours: while the view wakes up, confidence may not excuse the asymmetry of a turned face.
    dict(
        type=Schedule,
        changes={
            "losses.photometric.scale": {0: 0.15, 2000: None},
            "losses.photometric.mirror": {0: 1.0, 2000: 0.5},
            "losses.perceptual.scale": {0: 0.15, 2000: None},
            "losses.perceptual.mirror": {0: 1.0, 2000: 0.5},
        },
    ),
    dict(type=PanelHook, interval=2000),
]

optim_wrapper = dict(
    type=OptimWrapper,
    optimizer=dict(type=Adam, lr=1e-4),  # no weight decay: ours
    clip_grad=dict(max_norm=1.0),  # ours: replications without it have collapsed
)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=20_000, val_interval=2000)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
