"""L2R's proxy alone, with its losses and teacher: no prior, refinement or adversary."""

from mmengine.config import read_base

from l2rkit.engine import GuardedOptimWrapper

with read_base():
    from .full import *

model.pop("refine")
model.pop("adversary")
for loss in ("albedo", "displacement"):
    model["losses"].pop(loss)
model["losses"]["teacher"]["albedo"] = 1.0  # no prior restores it
custom_hooks = [average, panels]
optim_wrapper = dict(type=GuardedOptimWrapper, **optim_wrapper["others"])
