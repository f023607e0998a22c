"""Reads NVIDIA's pickles of networks as data, without running their code.

The pickles of stylegan2-ada-pytorch and stylegan3 keep each network as the source code of its
class, which plain unpickling executes, and its state. Here the state becomes an inert `Record`, the
code stays text, and a pickle that names anything beyond the lists below is refused.
"""

import pickle
import re
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import WeightsError
from ..io.files import unpacked_size


class Record:
    """Represents an object of a class that is not created; `state` has its attributes, if any."""

    def __init__(self, *made_of: object) -> None:
        known = made_of[0] if made_of and isinstance(made_of[0], dict) else {}
        self.state = known.get("state")  # as persistent classes are pickled

    def __setstate__(self, state: object) -> None:
        self.state = state


def storage(content: bytes) -> Any:
    """A tensor's numbers, which are a file within the file: read by torch's weights-only loader."""
    if (size := unpacked_size(BytesIO(content))) > len(content):
        raise pickle.UnpicklingError(f"a tensor in it unpacks to {size} bytes")
    try:
        found = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # it may be anything at all
        named = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"names {named[1]}, and weights need none" if named else "is no storage"
        raise pickle.UnpicklingError(f"a tensor in it {reason}") from None
    if not isinstance(found, torch.TypedStorage):
        raise pickle.UnpicklingError("a tensor in it is no storage")
    return found


REBUILD = "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"
# What a pickle may name, and what it gets.
ADMITTED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("dnnlib.util", "EasyDict"): dict,
    ("torch", "Size"): tuple,
    ("torch.storage", "_load_from_bytes"): storage,
    **{("torch._utils", name): getattr(torch._utils, name) for name in REBUILD},
}
# Numbers and arrays of NumPy, in which no weights are kept, devices, and plain layers.
INERT = {
    ("torch_utils.persistence", "_reconstruct_persistent_obj"),
    ("torch", "device"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    *{
        (f"numpy.{core}.multiarray", name)
        for core in ("core", "_core")
        for name in ("scalar", "_reconstruct")
    },
    *{
        ("torch.nn.modules.container", name)
        for name in ("ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "Sequential")
    },
}


class _Unpickler(pickle._Unpickler):  # the one in C believes any index of its memo
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in INERT or (module == "torch" and _is_dtype(name)):
            return Record
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, and weights need none")
        return ADMITTED[module, name]


def _is_dtype(name: str) -> bool:
    return isinstance(getattr(torch, name, None), torch.dtype)


def read_persistent(path: str | Path) -> Any:
    """What NVIDIA's pickle at `path` holds: a dict of `Record`s by names such as "G_ema".

    Raises:
        WeightsError: the file is missing or damaged, or names what is not admitted.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"no weights at {path}")
    try:
        with path.open("rb") as file:
            return _Unpickler(file).load()
    except pickle.UnpicklingError as error:
        reason = str(error).splitlines()[0] if str(error) else "damaged"
        raise WeightsError(f"{path} was refused: {reason}") from None
    except Exception as error:  # a damaged pickle may fail in any way at all
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise WeightsError(f"{path} is not a whole pickle ({reason})") from None


def tensors(network: Record, before: str = "", known: set[int] | None = None) -> dict[str, Tensor]:
    """The state dict of a network that was pickled: its parameters, buffers and those of its parts.

    Raises:
        WeightsError: it is no network, or has a part twice; `known` are those that were seen.
    """
    known = set() if known is None else known
    if id(network) in known:
        raise WeightsError(f"the part at {before} is in the network twice")
    known.add(id(network))
    state = network.state if isinstance(network, Record) else None
    if not isinstance(state, dict) or not isinstance(state.get("_modules"), dict):
        raise WeightsError(f"the pickle holds no network{f' at {before}' if before else ''}")
    found = {
        f"{before}{name}": value.detach()
        for kind in ("_parameters", "_buffers")
        for name, value in dict(state.get(kind) or {}).items()
        if isinstance(value, Tensor)
    }
    for name, part in state["_modules"].items():
        if part is not None:
            found |= tensors(part, f"{before}{name}.", known)
    return found
