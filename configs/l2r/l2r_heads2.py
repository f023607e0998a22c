"""L2R on synthetic heads of version 2 at 64 pixels, trained on a CPU.

The parts are those of `l2r_heads`, its prior still that of version 1. The proxy is
`unsup3d_heads2_degraded_distilled`, which has learnt from the teacher, `unsup3d_heads2_stereo`, and
stays frozen; all other parts are trained from the first step, which was best in the ablations.
"""

from mmengine.config import read_base

with read_base():
    from .l2r_heads import *
    from .._base_.datasets.heads2_degraded import *  # isort: skip

load_from = "work_dirs/unsup3d_heads2_degraded_distilled/iter_1500.pth"
model["losses"]["teacher"]["teachers"] = {
    "configs/unsup3d/unsup3d_heads2_stereo.py": "work_dirs/unsup3d_heads2_stereo.safetensors",
    "configs/unsup3d/unsup3d_heads_stereo.py": "unsup3d_heads_stereo",
}
custom_hooks = [average, panels]
train_dataloader.update(batch_size=16)
default_hooks["checkpoint"].update(interval=200, max_keep_ckpts=1)
param_scheduler = [dict(type=MultiStepLR, milestones=[320], gamma=0.33, by_epoch=False)]
train_cfg.update(max_iters=400, val_interval=200)
