"""Training in several processes, for any `train_step` and any number of optimizers.

Each process has its own batch, and `GuardedOptimWrapper` averages the gradients.
DistributedDataParallel needs one forward and one backward per step; a model with an adversary and
the prior have two or four, some with second derivatives.
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
    """A model in one of several processes, with equal weights in all of them.

    The result equals that of one process with all photos if losses are means over photos. Losses
    that use means of the batch in another way compute these by `all_reduce_mean`.
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
        """The model's `train_step`; optimizer wrappers average gradients after each backward.

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
    """The wrappers of all optimizers, checked to average gradients and skip steps.

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
    """Averages the gradients of each weight over all processes; a missing one counts as 0.

    A weight without a gradient in any process keeps none, so optimizers skip it.
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
    # One sum needs no copy; gradients whose sum overflows are useless, too.
    good = torch.stack([value.sum().float() for value in values]).sum().isfinite()
    if get_world_size() > 1:
        all_reduce(good := good.float(), "min")
    return bool(good)
