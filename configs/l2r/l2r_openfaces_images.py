"""L2R for people at 128 pixels: `l2r_openfaces_sharp` continued with a weaker adversary.

The stronger adversary left a grid on skin and distorted mouths. Without any, faces became soft.
"""

from mmengine.config import read_base

with read_base():
    from .l2r_openfaces_sharp import *

load_from = "work_dirs/l2r_openfaces_sharp/iter_750.pth"
load_only = ()
model["adversary"]["weight"] = 0.02
model["losses"]["albedo"]["symmetry"] = 1.0
stages["stages"] = {0: ["refine.albedo", "refine.geometry"]}
custom_hooks = [stages, average, panels]
optim_wrapper["others"]["optimizer"]["lr"] = 1.3e-4  # the last value of the run before
param_scheduler = []
train_cfg.update(max_iters=150, val_interval=150)
