"""Restorers bring their weights with them: from the package, or from a file of the user's."""

from pathlib import Path

from torch import Tensor, nn

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
    load_into(part, restorer_weights(path), str(path))
    part.requires_grad_(False)


def restorer_weights(path: str | Path) -> dict[str, Tensor]:
    """The weights of a restorer, in a file of its own or in a checkpoint of its training."""
    state = read_weights(path)
    trained = {k.removeprefix(OWN): v for k, v in state.items() if k.startswith(OWN)}
    return trained or state
