"""Restorers bring their weights with them: from the package, or from a file of the user's."""

from pathlib import Path

from torch import nn

from ..checkpoints import load_into, read_weights
from ..zoo import zoo_file

OWN = "restore."  # under which a run's checkpoint has them


def load_shipped(part: nn.Module, weights: str) -> None:
    """Puts weights into `part`, where they stay frozen.

    A bare name is a shipped file, anything else a path.

    Raises:
        WeightsError: there is no such file, or it is of another architecture.
    """
    bare = Path(weights).name == weights and not Path(weights).suffix
    path = zoo_file(f"{weights}.safetensors") if bare else Path(weights)
    state = read_weights(path)
    if any(key.startswith(OWN) for key in state):  # a checkpoint of its training
        state = {k.removeprefix(OWN): v for k, v in state.items() if k.startswith(OWN)}
    load_into(part, state, str(path))
    part.requires_grad_(False)
