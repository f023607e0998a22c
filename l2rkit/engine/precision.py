"""Half precision on GPUs: gradients are scaled, the renderer and losses are not cast."""

from contextlib import AbstractContextManager

from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class ScaledOptimWrapper(AmpOptimWrapper):
    """MMEngine's gradient scaling for float16 on GPUs, without its cast of renderer and losses.

    Not run by its authors, who had no GPU.
    """

    def optim_context(self, model: nn.Module) -> AbstractContextManager:
        return OptimWrapper.optim_context(self, model)
