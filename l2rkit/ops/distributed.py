"""What several processes that train together share."""

from mmengine.dist import all_reduce
from torch import Tensor


def all_reduce_mean(value: Tensor) -> Tensor:
    """The mean of a value over all processes; in one, the value itself.

    A gradient goes to the own value whole, as if all others were it: the mean of these over the
    processes is what one process with all photos would have.
    """
    mean = value.detach().clone()
    all_reduce(mean, "mean")
    return mean + (value - value.detach())
