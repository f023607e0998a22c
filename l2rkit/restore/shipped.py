"""Restorers bring their weights with them: from the package, or from a file of the user's."""

from torch import nn

from ..io.weights import load_into, model_weights
from ..zoo import weight_file


def load_shipped(part: nn.Module, weights: str) -> None:
    """Puts weights into `part`, where they stay frozen.

    A bare name is a shipped file, anything else the path of one, or of a checkpoint of a training.

    Raises:
        WeightsError: there is no such file, or it is of another architecture.
    """
    path = weight_file(weights)
    load_into(part, model_weights(path, "restore"), str(path))
    part.requires_grad_(False)
    part.external_weights = True  # a method's file goes without them
