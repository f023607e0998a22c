"""Converts Unsup3D's and LAP's released checkpoints to our names."""

from pathlib import Path

from torch import Tensor

from ..errors import WeightsError
from ..io.pickles import read_foreign

# The released programs' names for their networks, and ours; the layers' names are the same.
NETS = {
    "netD": "depth",
    "netA": "albedo",
    "netL": "light",
    "netV": "view",
    "netC": "confidence",
}
LAP_NETS = {
    "netD": "depth",
    "netA": "albedo",
    "refine_netD": "refine_depth",
    "refine_netA": "refine_albedo",
    "netL": "light",
    "netV": "view",
}


def read_official(path: str | Path) -> dict[str, Tensor]:
    """The state dict of a `FaceReconstructor` from a released Unsup3D checkpoint at `path`.

    Optimizers, epoch and pickled meters are skipped, and never unpickled.

    Raises:
        WeightsError: the file is missing or damaged, or one of the five networks is not in it.
    """
    return _read(path, NETS, "Unsup3D")


def read_official_lap(path: str | Path) -> dict[str, Tensor]:
    """The same from LAP's released checkpoint, for `LAPDecomposer(confidence=False)` at 128 pixels.

    The names are those of the released demo. They were tested on checkpoints made from its layer
    lists, not on the released file.

    Raises:
        WeightsError: the file is missing or damaged, or one of the six networks is not in it.
    """
    return _read(path, LAP_NETS, "LAP")


def _read(path: str | Path, nets: dict[str, str], method: str) -> dict[str, Tensor]:
    content = read_foreign(path)
    content = content if isinstance(content, dict) else {}
    missing = [net for net in nets if not _is_state(content.get(net))]
    if missing:
        raise WeightsError(f"{path} is no {method} checkpoint: it lacks {', '.join(missing)}")
    return {
        f"decompose.{ours}.{key}": value
        for theirs, ours in nets.items()
        for key, value in content[theirs].items()
    }


def _is_state(value: object) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(tensor, Tensor) for tensor in value.values())
    )
