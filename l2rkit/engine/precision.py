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

    Steps that overflow are left out by the scaler, and are not counted. Not run by its authors,
    who had no GPU.
    """

    skipped, spoilt = False, False

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        super().backward(loss, **kwargs)
        average(self)

    def optim_context(self, model: nn.Module) -> AbstractContextManager:
        return OptimWrapper.optim_context(self, model)
