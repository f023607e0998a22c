"""Training in several processes, whatever a model's `train_step` does and with however many
optimizers: each process learns from a batch of its own, and all from the mean of their gradients,
which `GuardedOptimWrapper` takes.

DistributedDataParallel wants one forward and one backward per step. A face with its adversary and
the prior have two or four, some through derivatives.
"""

from typing import Any

import torch
from mmengine.dist import all_reduce, broadcast, get_world_size
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import MODEL_WRAPPERS
from torch import Tensor, nn

from ..errors import ConfigError


@MODEL_WRAPPERS.register_module()
class ReplicatedModel(nn.Module):
    """A model in one of several processes: as in all others at first, and after each step.

    It is the same as one process with all photos where losses are means over photos. Those that are
    not, but make something else of means of the batch, take these by `all_reduce_mean`.
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
        """The model's own; optimizer wrappers average gradients between backward and step.

        Raises:
            ConfigError: a wrapper does not.
        """
        checked_wrappers("ReplicatedModel", optim_wrapper)
        return self.module.train_step(data, optim_wrapper)

    def val_step(self, data: dict) -> list:
        return self.module.val_step(data)

    def test_step(self, data: dict) -> list:
        return self.module.test_step(data)


def checked_wrappers(name: str, wrapper: OptimWrapper | OptimWrapperDict) -> list[OptimWrapper]:
    """The wrappers of all optimizers, which the part `name` wants to average and skip.

    Raises:
        ConfigError: one is neither a `GuardedOptimWrapper` nor a `ScaledOptimWrapper`.
    """
    found = list(wrapper.values()) if isinstance(wrapper, OptimWrapperDict) else [wrapper]
    for each in found:
        if not hasattr(each, "skipped"):
            raise ConfigError(
                f"{name}: optim_wrapper.type is {type(each).__name__}, which neither skips steps "
                "nor averages gradients; take GuardedOptimWrapper of l2rkit.engine"
            )
    return found


@torch.no_grad()
def average_gradients(weights: list[Tensor]) -> None:
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


def finite(values: list[Tensor]) -> bool:
    """Whether all numbers in the tensors are finite, in all processes."""
    # A sum is one pass without a copy; what overflows in it is no gradient to follow either.
    good = torch.stack([value.sum().float() for value in values]).sum().isfinite()
    if get_world_size() > 1:
        all_reduce(good := good.float(), "min")
    return bool(good)
