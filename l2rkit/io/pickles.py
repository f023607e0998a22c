"""Pickles are programs: what torch's loaders may make of those in files.

The weights-only loader admits tensors, plain containers and the few types that MMEngine writes;
official files of older projects, full of foreign objects, are read by `read_foreign`, which makes
none of them.
"""

import _codecs
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from ..errors import WeightsError


def _types_of_mmengine() -> list[Any]:
    """What MMEngine's own checkpoints hold besides tensors: scalars and buffers of the logs.

    NumPy's are encoded bytes, which torch 2.4 does not admit by itself.
    """
    multiarray = getattr(np, "_core", None) or np.core
    made_of = [
        np.ndarray,
        np.dtype,
        multiarray.multiarray.scalar,
        multiarray.multiarray._reconstruct,
    ]
    dtypes = [type(np.dtype(code)) for code in ("f8", "f4", "i8", "i4", "u4", "?", "U1")]
    return [HistoryBuffer, _statistic, _codecs.encode, *made_of, *dtypes]


def _statistic(owner: type, name: str) -> Any:
    """All that `getattr` may do in a file: name the statistics that each `HistoryBuffer` lists."""
    if owner is not HistoryBuffer or name not in ("min", "max", "mean", "current"):
        raise pickle.UnpicklingError(f"GLOBAL getattr may not reach '{name}' of {owner}")
    return getattr(HistoryBuffer, name)


# The name under which torch's loader looks it up.
_statistic.__module__, _statistic.__qualname__, _statistic.__name__ = "builtins", *["getattr"] * 2

# Also for MMEngine's Runner, whose `resume` calls torch.load (weights-only since torch 2.6).
torch.serialization.add_safe_globals(_types_of_mmengine())


def read_foreign(path: str | Path) -> Any:
    """What a torch file of another project holds, every object but tensors and containers inert.

    Nothing that the file names is imported or called, whatever it says; torch's old and new file
    formats are both read.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"no weights at {path}")
    check_size(path)
    reader = SimpleNamespace(Unpickler=_TensorUnpickler, load=_load, __name__="pickle")
    try:
        if _is_program(path):
            raise WeightsError(f"{path} was refused: it is a TorchScript program, not a checkpoint")
        return torch.load(path, map_location="cpu", pickle_module=reader, weights_only=False)
    except WeightsError:
        raise
    except Exception as error:  # a damaged pickle may fail in any way at all
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise WeightsError(f"{path} is not a whole torch checkpoint ({reason})") from None


def check_size(path: Path) -> None:
    """Refuses a zip whose parts are together larger than it is: torch packs nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return  # no zip, or a damaged one: whoever reads it says so
    if size > (own := path.stat().st_size):
        raise WeightsError(f"{path} was refused: {own} bytes that unpack to {size}")


def is_zip(path: Path) -> bool:
    """Whether the file is of torch's format since 1.6; as `torch.load` decides that."""
    with path.open("rb") as file:
        return torch.serialization._is_zipfile(file)


def _is_program(path: Path) -> bool:
    """Whether `torch.load` would take the file for TorchScript, and run it; as it decides that."""
    if not is_zip(path):
        return False
    with path.open("rb") as file, torch.serialization._open_zipfile_reader(file) as archive:
        return torch.serialization._is_torchscript_zip(archive)


class Inert:
    """Stands where a file wanted an object of a class that is not admitted."""

    def __new__(cls, *_: object, **__: object) -> "Inert":
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None: ...

    def __setstate__(self, state: object) -> None: ...

    def __setitem__(self, key: object, value: object) -> None: ...

    def append(self, value: object) -> None: ...

    def extend(self, values: object) -> None: ...


class _TensorUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == "collections" and name == "OrderedDict":
            return OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return getattr(torch._utils, name)
        if module == "torch._utils" and name == "_rebuild_parameter":
            return torch._utils._rebuild_parameter
        if module == "torch" and (name.endswith("Storage") or name == "Size"):
            return getattr(torch, name)
        return Inert


def _load(file: Any, **options: Any) -> Any:
    return _TensorUnpickler(file, **options).load()


def first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def refused(message: str) -> str:
    """What torch's weights-only loader stumbled over, in one line."""
    for line in message.splitlines():
        if "GLOBAL" in line or ("global" in line.lower() and "Unsupported" in line):
            return line.strip()
    return "it holds more than tensors"
