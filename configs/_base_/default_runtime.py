"""Logging, checkpoints and seeds of a run."""

from mmengine.hooks import (
    DistSamplerSeedHook,
    IterTimerHook,
    LoggerHook,
    ParamSchedulerHook,
    RuntimeInfoHook,
)

from l2rkit.engine import AtomicCheckpoint, CollapseMonitor, SkipNonFiniteSteps, StepSeed

default_scope = None  # parts are named by class, so no scope is needed
default_hooks = dict(
    runtime_info=dict(type=RuntimeInfoHook),
    timer=dict(type=IterTimerHook),
    sampler_seed=dict(type=DistSamplerSeedHook),
    logger=dict(type=LoggerHook, interval=100),
    param_scheduler=dict(type=ParamSchedulerHook),
    draws=dict(type=StepSeed),
    finite=dict(type=SkipNonFiniteSteps, patience=10),
    collapse=dict(type=CollapseMonitor, interval=200),
    checkpoint=dict(type=AtomicCheckpoint, by_epoch=False, interval=1000, max_keep_ckpts=2),
)
log_processor = dict(by_epoch=False, window_size=100)
env_cfg = dict(cudnn_benchmark=True, mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0))
randomness = dict(seed=0)
# A name, as MMEngine takes no class here.
model_wrapper_cfg = dict(type="l2rkit.engine.ReplicatedModel")
