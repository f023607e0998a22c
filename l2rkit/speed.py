"""What makes training faster on some machines: to be chosen by `tools/benchmark.py`, not by belief.

Half precision is the model's own (`FaceReconstructor(precision=...)`).
"""

from contextlib import AbstractContextManager

import torch
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import HOOKS, OPTIM_WRAPPERS
from mmengine.runner import Runner
from torch import nn


@HOOKS.register_module()
class ChannelsLast(Hook):
    """Stores the weights of 2D convolutions with channels last, which their kernels may prefer."""

    priority = "VERY_HIGH"

    def before_run(self, runner: Runner) -> None:
        runner.model.to(memory_format=torch.channels_last)


@OPTIM_WRAPPERS.register_module()
class ScaledOptimWrapper(AmpOptimWrapper):
    """MMEngine's gradient scaling for float16 on GPUs, without its cast of renderer and losses.

    Not run by its authors, who had no GPU.
    """

    def optim_context(self, model: nn.Module) -> AbstractContextManager:
        return OptimWrapper.optim_context(self, model)
