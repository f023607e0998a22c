"""Pairs of bad and good photos of heads of version 2; validation at `severe`."""

from mmengine.config import read_base

with read_base():
    from .heads2 import *
    from .heads_degraded import degraded_pipeline, severe_pipeline

train_dataloader["dataset"]["pipeline"] = degraded_pipeline
val_dataloader["dataset"]["pipeline"] = severe_pipeline
