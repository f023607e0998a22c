"""Safe loading of pickles, which can run code.

torch's weights-only loader admits tensors, plain containers and the few types that MMEngine writes.
`read_foreign` reads the files of other projects, and replaces objects of other types by inert ones.
"""

import _codecs
import copyreg
import pickle
import pickletools
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from ..errors import WeightsError
from .files import BAD_ZIP, unpacked_size
from .tensors import check_tensors

LONGEST_NAME = 1000  # characters of a class's name with its module
OLD_PROGRAMS = 5  # pickles one after the other in files of torch before 1.6


def _types_of_mmengine() -> list[Any]:
    """The types in MMEngine's checkpoints besides tensors: scalars and buffers of the logs.

    NumPy pickles them as encoded bytes, which torch 2.4 does not admit by default.
    """
    multiarray = getattr(np, "_core", None) or np.core
    scalar, reconstruct = multiarray.multiarray.scalar, multiarray.multiarray._reconstruct
    made_of = [
        np.ndarray,
        np.dtype,
        _named_as(scalar, lambda kind, *raw: scalar(_small(kind), *raw)),
        _named_as(reconstruct, lambda kind, shape, code: reconstruct(kind, _none(shape), code)),
    ]
    dtypes = [type(np.dtype(code)) for code in ("f8", "f4", "i8", "i4", "u4", "?", "U1")]
    encode = _named_as(_codecs.encode, lambda text, _: text.encode("latin1"))  # NumPy's only codec
    return [_Buffer, _statistic, encode, *made_of, *dtypes]


def _named_as(original: Any, stand_in: Any) -> Any:
    """`stand_in`, renamed as `original`, so that torch's loader finds it in its place."""
    stand_in.__module__, stand_in.__qualname__ = original.__module__, original.__name__
    stand_in.__name__ = original.__name__
    return stand_in


def _small(kind: np.dtype) -> np.dtype:
    """The dtype of a scalar, limited to 256 bytes; a hostile file may name one of 2 GB."""
    if kind.itemsize > 256:
        raise pickle.UnpicklingError(f"a number of {kind.itemsize} bytes")
    return kind


def _none(shape: tuple) -> tuple:
    """The shape (0,), with which NumPy's pickles create an array before its state is set."""
    if shape != (0,):
        raise pickle.UnpicklingError(f"an array that begins with the shape {shape}")
    return shape


class _Buffer(HistoryBuffer):
    """A `HistoryBuffer` that files can restore, but not construct with arguments.

    Its constructor would copy arbitrary arguments.
    """

    def __init__(self, *_: object) -> None:
        raise pickle.UnpicklingError("a buffer of logs is not made by a call")

    def __reduce_ex__(self, protocol: int) -> tuple:
        return copyreg.__newobj__, (HistoryBuffer,), self.__dict__


_named_as(HistoryBuffer, _Buffer)


def _statistic(owner: type, name: str) -> Any:
    """The `getattr` of files, limited to the statistics that each `HistoryBuffer` lists."""
    if owner is not _Buffer or name not in ("min", "max", "mean", "current"):
        raise pickle.UnpicklingError(f"GLOBAL getattr may not reach '{name}' of {owner}")
    return getattr(HistoryBuffer, name)


# the name under which torch's loader looks it up
_statistic.__module__, _statistic.__qualname__, _statistic.__name__ = "builtins", *["getattr"] * 2

# also needed by MMEngine's Runner, whose `resume` calls torch.load (weights-only since torch 2.6)
torch.serialization.add_safe_globals(_types_of_mmengine())


def read_foreign(path: str | Path) -> Any:
    """The content of another project's torch file, in torch's old or new format.

    Objects other than tensors and plain containers are `Inert`: nothing that the file names is
    imported or called.

    Raises:
        WeightsError: the file is missing, damaged, too large when unpacked, or TorchScript.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"no weights at {path}")
    check_size(path)
    reader = SimpleNamespace(Unpickler=_TensorUnpickler, load=_load, __name__="pickle")
    try:
        if _is_program(path):
            raise WeightsError(f"{path} was refused: it is a TorchScript program, not a checkpoint")
        with _opened(path) as file, _unwarned():
            content = torch.load(file, "cpu", reader, weights_only=False)
    except WeightsError:
        raise
    except Exception as error:  # a damaged pickle may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise WeightsError(f"{path} is not a complete torch checkpoint ({reason})") from None
    check_tensors(content, path, path.stat().st_size)
    return content


def load_plain(path: Path) -> Any:
    """The content of a file by torch's weights-only loader.

    A zip is memory-mapped, so that no storage reaches beyond the file: otherwise torch 2.4 trusts
    the size that a storage declares.
    """
    check_names(path)
    with _unwarned():
        if is_zip(path):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        with _opened(path) as file:
            return torch.load(file, map_location="cpu", weights_only=True)


@contextmanager
def _unwarned() -> Iterator[None]:
    """A context without torch's warnings, which would precede our one-line error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check_names(path: Path) -> None:
    """Refuses a pickle with a class name of more than `LONGEST_NAME` characters.

    Torch searches its error message by regular expressions: a name of a million characters takes
    minutes.
    """
    for program in _programs(path):
        longest = 0
        with suppress(Exception):  # any damage; torch reports it
            for opcode, word, _ in pickletools.genops(program):
                longest = max(longest, len(word) if opcode.name in ("GLOBAL", "INST") else 0)
        if longest > LONGEST_NAME:
            raise pickle.UnpicklingError(f"a GLOBAL of {longest} characters")


def _programs(path: Path) -> Iterator[Any]:
    """The pickles in a checkpoint, each as an open file."""
    if not is_zip(path):
        with _opened(path) as content:  # a memory map: reads no further than the file
            for _ in range(OLD_PROGRAMS):
                yield content
        return
    with suppress(*BAD_ZIP), zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            if part.filename.endswith("data.pkl"):
                with archive.open(part) as file:
                    yield file


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file as a memory map without a file descriptor: torch then does not unpack tars.

    A tar may contain pipes, on which reading would block. Only torch 0.1 wrote tars.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        yield content


def check_size(path: Path) -> None:
    """Raises WeightsError for a zip larger when unpacked: torch does not compress its files."""
    own, size = path.stat().st_size, unpacked_size(path)
    if size > own:
        raise WeightsError(f"{path} was refused: {own} bytes that unpack to {size}")


def is_zip(path: Path) -> bool:
    """Whether `torch.load` takes the file for torch's zip format (since 1.6)."""
    with path.open("rb") as file:
        return torch.serialization._is_zipfile(file)


def _is_program(path: Path) -> bool:
    """Whether `torch.load` would take the file for TorchScript, and run it."""
    if not is_zip(path):
        return False
    with path.open("rb") as file, torch.serialization._open_zipfile_reader(file) as archive:
        return torch.serialization._is_torchscript_zip(archive)


class Inert:
    """A placeholder for objects of classes that are not admitted."""

    def __new__(cls, *_: object, **__: object) -> "Inert":
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None: ...

    def __setstate__(self, state: object) -> None: ...

    def __setitem__(self, key: object, value: object) -> None: ...

    def append(self, value: object) -> None: ...

    def extend(self, values: object) -> None: ...


class _TensorUnpickler(pickle._Unpickler):  # the one in C allocates for any memo index in a file
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
    """The first line of an error's message, or its type if it has none."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def refused(message: str) -> str:
    """The line of torch's weights-only error that names the refused object."""
    for line in message.splitlines():
        if "GLOBAL" in line or ("global" in line.lower() and "Unsupported" in line):
            return line.strip()
    return "it holds more than tensors"
