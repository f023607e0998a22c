"""L2R for people in three stages: albedo, then geometry, then both, as the paper trains it."""

from mmengine.config import read_base

from l2rkit.engine import Stages

with read_base():
    from .people_full import *

stages = dict(
    type=Stages,
    stages={
        0: ["refine.albedo"],
        50: ["refine.geometry"],
        100: ["refine.albedo", "refine.geometry"],
    },
)
custom_hooks = [stages, *custom_hooks]
