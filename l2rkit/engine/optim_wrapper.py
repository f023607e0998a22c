"""How an optimizer steps: from gradients of all processes, and only if they are finite."""

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

    `skipped` says whether a step was left out since `SkipNonFiniteSteps` looked last, and `spoilt`
    that the batch of this process was not finite. Arguments as of MMEngine's OptimWrapper.
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
    """Gives all processes the mean of their gradients."""
    if get_world_size() > 1:
        average_gradients(weights_of(wrapper))


def weights_of(wrapper: OptimWrapper) -> list[Tensor]:
    """The weights that an optimizer moves."""
    return [weight for group in wrapper.optimizer.param_groups for weight in group["params"]]
