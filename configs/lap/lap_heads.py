"""LAP on synthetic heads at 64 px, trained on a CPU: the second and last stage.

`lap_heads_student` is the first; see README.md here. We do not know the paper's losses and
schedule: settings other than Unsup3D's are ours, with the reason.
"""

from mmengine.config import read_base
from mmengine.hooks import EMAHook
from mmengine.optim import LinearLR, MultiStepLR
from mmengine.runner import IterBasedTrainLoop, TestLoop, ValLoop
from torch.optim import Adam

from l2rkit.data import EachAlone, PersonSampler
from l2rkit.decompose import RobustLAPDecomposer
from l2rkit.engine import GuardedOptimWrapper, Schedule
from l2rkit.losses import (
    CycleConsistency,
    MobileNetFeatures,
    Perceptual,
    Photometric,
    PitchPrior,
    RelaxedConsistency,
    ZeroMeanPose,
)
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from l2rkit.viz import PanelHook

with read_base():
    from .._base_.datasets.heads import *
    from .._base_.default_runtime import *

# Evaluated on single photos, like other methods; tools/measure_sets.py evaluates sets.
for_one = [dict(type=EachAlone), *test_pipeline]
val_dataloader.dataset.update(pipeline=for_one)
test_dataloader.dataset.update(pipeline=for_one)
load_from = "work_dirs/lap_heads_student/iter_600.pth"
model = dict(
    type=FaceReconstructor,
    decompose=dict(
        type=RobustLAPDecomposer,  # ours: gives photos that do not fit the set less weight
        image_size=64,
        width=12,  # ours: a fifth of the published width, for training on a CPU
        encoder_width=14,
    ),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.5),
        perceptual=dict(type=Perceptual, features=dict(type=MobileNetFeatures), mirror=0.5),
        consistency=dict(type=RelaxedConsistency, weight=0.5),
        # Ours, for ambiguities that symmetry does not resolve; as for Unsup3D on heads.
        cycle=dict(type=CycleConsistency, share=0.25, yaw_deg=60.0, pitch_deg=16.0),
        views=dict(type=ZeroMeanPose, weight=2.0),
        upright=dict(type=PitchPrior, weight=2.0, lean_deg=-6.0),
    ),
)
average = dict(type=EMAHook, momentum=0.005)  # ours: errors vary between checkpoints
panels = dict(type=PanelHook, interval=500)
custom_hooks = [
    dict(
        type=Schedule,
        changes={
            # The paper's two stages: first the shared face, then each photo's own.
            "decompose.refined": {0: False, 900: True},
            # Ours: fixed at first, while the confidence network is untrained.
            "losses.photometric.scale": {0: 0.15, 200: None},
            "losses.perceptual.scale": {0: 0.15, 200: None},
            # Ours: the refining networks must first adapt to the changed shared face.
            "losses.consistency.weight": {0: 0.0, 900: 5.0, 1000: 0.5},
        },
    ),
    average,
    panels,
]
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=2e-4),
    paramwise_cfg=dict(custom_keys={"decompose.view": dict(lr_mult=3.0)}),  # views learn slowly
    clip_grad=dict(max_norm=1.0),  # without it, training Unsup3D has collapsed
)
train_dataloader.update(batch_size=32)
# Sets of several sizes, so that the model works with single photos, too.
train_dataloader["sampler"] = dict(
    type=PersonSampler, photos={0: (2, 2, 1, 1, 1, 1), 1: (4, 2, 1, 1)}, seed=0
)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=100, by_epoch=False),
    dict(type=MultiStepLR, milestones=[1150], gamma=0.33, by_epoch=False),
]
train_cfg = dict(type=IterBasedTrainLoop, max_iters=1350, val_interval=450)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
