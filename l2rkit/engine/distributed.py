"""Training in several processes, whatever a model's `train_step` does and with however many
optimizers: each process learns from a batch of its own, and all from the mean of their gradients.

DistributedDataParallel wants one forward and one backward per step. A face with its adversary and
the prior have two or four, some through derivatives.
"""

from functools import partial
from typing import Any

import torch
from mmengine.dist import all_reduce, broadcast
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import MODEL_WRAPPERS
from torch import Tensor, nn

from .finite import each_wrapper


@MODEL_WRAPPERS.register_module()
class MeanGradients(nn.Module):
    """A model in one of several processes: as in all others at first, and after each step.

    It is the same as one process with all photos where losses are means over photos. Those that are
    not, but make something else of means of the batch, take these by `mean_of_all`.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        for value in module.state_dict().values():
            broadcast(value)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def train_step(
        self, data: dict, optim_wrapper: OptimWrapper | OptimWrapperDict
    ) -> dict[str, Tensor]:
        """The model's own, between whose backward and optimizer gradients are averaged."""
        for wrapper in each_wrapper(optim_wrapper):
            wrapper.backward = partial(_backward, wrapper)
        return self.module.train_step(data, optim_wrapper)

    def val_step(self, data: dict) -> list:
        return self.module.val_step(data)

    def test_step(self, data: dict) -> list:
        return self.module.test_step(data)


def _backward(wrapper: OptimWrapper, loss: Tensor, **kwargs: Any) -> None:
    type(wrapper).backward(wrapper, loss, **kwargs)
    mean_gradients([w for group in wrapper.optimizer.param_groups for w in group["params"]])


@torch.no_grad()
def mean_gradients(weights: list[Tensor]) -> None:
    """Gives each weight the mean of its gradients in all processes, where none counts as 0.

    A weight without a gradient in any has none afterwards either: optimizers pass it over.
    """
    has = torch.tensor([float(w.grad is not None) for w in weights], device=weights[0].device)
    all_reduce(has, "max")
    used = [weight for weight, there in zip(weights, has.tolist()) if there]
    if not used:
        return
    grads = [torch.zeros_like(w) if w.grad is None else w.grad for w in used]
    flat = torch.cat([grad.flatten() for grad in grads])
    all_reduce(flat, "mean")
    for weight, mean in zip(used, flat.split([w.numel() for w in used])):
        weight.grad = mean.view_as(weight)
