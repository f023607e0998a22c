"""Loads the weights of restorers, from the package or from a file."""

from torch import nn

from ..io.weights import load_into, model_weights
from ..zoo import weight_file


def load_shipped(part: nn.Module, weights: str, frozen: bool = True) -> None:
    """Loads weights into `part` and freezes them, unless they are to be trained on.

    A bare name is a shipped file; else it is the path of a weight file or of a training checkpoint.

    Raises:
        WeightsError: the file is missing, or of another architecture.
    """
    path = weight_file(weights)
    load_into(part, model_weights(path, "restore"), str(path))
    part.requires_grad_(not frozen)
    part.external_weights = frozen  # a method's file goes without frozen ones
