"""Half precision on GPUs: gradients are scaled, the renderer and losses are not cast."""

from contextlib import AbstractContextManager
from typing import Any

from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import Tensor, nn

from .optim_wrapper import average


@OPTIM_WRAPPERS.register_module()
class ScaledOptimWrapper(AmpOptimWrapper):
    """MMEngine's gradient scaling for float16 on GPUs, without its cast of renderer and losses.

    The scaler skips steps that overflow; they are not counted. We have not run it on a GPU.
    """

    skipped, spoilt = False, False

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        super().backward(loss, **kwargs)
        average(self)

    def optim_context(self, model: nn.Module) -> AbstractContextManager:
        return OptimWrapper.optim_context(self, model)
