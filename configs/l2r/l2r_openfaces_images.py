"""L2R for photos of people at 128 pixels: `l2r_openfaces_sharp` goes on with less of an adversary.

Which had put a grid on skin and drawn mouths awry. Without any, faces became soft.
"""

from mmengine.config import read_base

with read_base():
    from .l2r_openfaces_sharp import *

load_from = "work_dirs/l2r_openfaces_sharp/iter_750.pth"
load_only = ()
model["adversary"]["weight"] = 0.02
model["losses"]["albedo"]["symmetry"] = 1.0
custom_hooks[0]["stages"] = {0: ["refine.albedo", "refine.geometry"]}
optim_wrapper["others"]["optimizer"]["lr"] = 1.3e-4  # what it ended with
param_scheduler = []
train_cfg.update(max_iters=150, val_interval=150)
