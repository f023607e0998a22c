"""An optimizer wrapper that averages gradients and skips non-finite steps."""

from typing import Any

import torch
from mmengine.dist import get_world_size
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import Tensor

from .distributed import average_gradients, finite


@OPTIM_WRAPPERS.register_module()
class GuardedOptimWrapper(OptimWrapper):
    """Averages gradients over processes after each backward; skips steps that are not finite.

    `skipped`: a step was skipped since the last check of `SkipNonFiniteSteps`; `spoilt`: a batch
    of this process since the last step was not finite. Arguments as of MMEngine's OptimWrapper.
    """

    skipped, spoilt = False, False

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        self.last_loss = loss.detach()
        super().backward(loss, **kwargs)
        average(self)

    def step(self, **kwargs: Any) -> None:
        grads = [weight.grad for weight in weights_of(self) if weight.grad is not None]
        batch = torch.full_like(self.last_loss, torch.nan if self.spoilt else 0.0)
        if finite([batch, self.last_loss, *grads]):
            super().step(**kwargs)
        else:
            self.skipped = True


def average(wrapper: OptimWrapper) -> None:
    """Averages gradients over all processes."""
    if get_world_size() > 1:
        average_gradients(weights_of(wrapper))


def weights_of(wrapper: OptimWrapper) -> list[Tensor]:
    """The weights of an optimizer."""
    return [weight for group in wrapper.optimizer.param_groups for weight in group["params"]]
