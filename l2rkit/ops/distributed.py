"""The first process of distributed training, and a mean over all."""

import os

from mmengine.dist import all_reduce
from torch import Tensor

RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK")  # set by torchrun, Slurm and MPI


def is_first_process() -> bool:
    """Whether a launcher started this process first, or none did; known before they are joined."""
    return not any(int(os.environ.get(name) or 0) for name in RANKS)


def all_reduce_mean(value: Tensor) -> Tensor:
    """The mean of a value over all processes; in a single process, the value itself.

    The gradient passes unscaled to the process's own value. The mean of the gradients over
    processes is then that of one process with all photos.
    """
    mean = value.detach().clone()
    all_reduce(mean, "mean")
    return mean + (value - value.detach())
