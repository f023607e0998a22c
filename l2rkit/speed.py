"""What makes training faster on some machines: to be chosen by `tools/benchmark.py`, not by belief.

Half precision is the models' own (`FaceReconstructor(precision=...)`).
"""

from contextlib import AbstractContextManager

import torch
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import HOOKS, OPTIM_WRAPPERS
from mmengine.runner import Runner
from torch import Tensor, nn

from .errors import ConfigError

PRECISIONS = {None: None, "bfloat16": torch.bfloat16, "float16": torch.float16}


def checked_precision(name: str, precision: str | None) -> str | None:
    """The precision of the part `name`, if it is one of `PRECISIONS`."""
    if precision not in PRECISIONS:
        wanted = ", ".join(map(repr, PRECISIONS))
        raise ConfigError(f"{name}: precision is one of {wanted}, not {precision!r}")
    return precision


def in_precision(precision: str | None, photo: Tensor) -> AbstractContextManager:
    """In this context, layers on the photo's device compute in `precision`, or as ever."""
    kind = PRECISIONS[precision]
    return torch.autocast(photo.device.type, dtype=kind, enabled=kind is not None)


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
