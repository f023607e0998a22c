"""Convolutions with channels last, which are faster on some machines."""

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class ChannelsLast(Hook):
    """Stores the weights of 2D convolutions with channels last, which may be faster."""

    priority = "VERY_HIGH"

    def before_run(self, runner: Runner) -> None:
        runner.model.to(memory_format=torch.channels_last)
