"""A mean over the processes of distributed training."""

from mmengine.dist import all_reduce
from torch import Tensor


def all_reduce_mean(value: Tensor) -> Tensor:
    """The mean of a value over all processes; in a single process, the value itself.

    The gradient passes unscaled to the process's own value. The mean of the gradients over
    processes is then that of one process with all photos.
    """
    mean = value.detach().clone()
    all_reduce(mean, "mean")
    return mean + (value - value.detach())
