"""The weights of Unsup3D's released checkpoints, under our names."""

from pathlib import Path

from torch import Tensor

from ..checkpoints import read_foreign
from ..errors import WeightsError

# The released trainer's names for its networks, and ours; the layers' names are the same.
NETS = {
    "netD": "depth",
    "netA": "albedo",
    "netL": "light",
    "netV": "view",
    "netC": "confidence",
}


def read_official(path: str | Path) -> dict[str, Tensor]:
    """The state dict of a `FaceReconstructor` from a released checkpoint at `path`.

    The optimizers, the epoch and the pickled meters beside the networks are left out, unmade.

    Raises:
        WeightsError: the file is missing or damaged, or one of the five networks is not in it.
    """
    content = read_foreign(path)
    content = content if isinstance(content, dict) else {}
    missing = [net for net in NETS if not _is_state(content.get(net))]
    if missing:
        raise WeightsError(f"{path} is no Unsup3D checkpoint: it lacks {', '.join(missing)}")
    return {
        f"decompose.{ours}.{key}": value
        for theirs, ours in NETS.items()
        for key, value in content[theirs].items()
    }


def _is_state(value: object) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(tensor, Tensor) for tensor in value.values())
    )
