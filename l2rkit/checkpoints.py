"""Weights from files, without running what a file says.

Pickles are programs. `.safetensors` files hold none; for `.pth` files torch's weights-only loader
admits tensors, plain containers and the few types that MMEngine writes; official files of older
projects, full of foreign objects, are read by `read_foreign`, which makes none of them.
"""

import _codecs
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import safetensors.torch
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from safetensors import SafetensorError
from torch import Tensor, nn

from .errors import WeightsError
from .files import write_whole
from .rounding import rounded, unrounded
from .zoo import zoo_file


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


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The state dict in a `.safetensors` file or an MMEngine or plain torch checkpoint.

    Raises:
        WeightsError: the file is missing, damaged, or holds objects other than tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"no weights at {path}")
    if path.suffix == ".safetensors":
        try:
            return unrounded(safetensors.torch.load_file(path))
        except SafetensorError as error:
            raise WeightsError(f"{path} is not a whole safetensors file ({error})") from None
    _check_size(path)
    try:
        # Mapped, where the format allows it, no storage reaches beyond the file: torch 2.4 would
        # believe the size that it declares.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{path} was refused: {_refused(str(error))}") from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        reason = _first_line(error)
        raise WeightsError(f"{path} is not a whole torch checkpoint ({reason})") from None
    content = content.get("state_dict", content) if isinstance(content, dict) else None
    if not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path} holds no state dict: names with tensors")
    return {name: value.clone() for name, value in content.items()}  # what is mapped may change


@CheckpointLoader.register_scheme(prefixes="zoo://")
def read_shipped(name: str, map_location: object = None) -> dict[str, dict[str, Tensor]]:
    """What MMEngine loads for `load_from = "zoo://unsup3d_heads"`: the weights so called."""
    path = zoo_file(f"{name.removeprefix('zoo://')}.safetensors")
    return {"state_dict": read_weights(path)}


def write_weights(state: dict[str, Tensor], path: str | Path, bits: int = 32) -> None:
    """Writes tensors to a `.safetensors` file, whole or not at all, floats in 8, 16 or 32 bits."""
    path = Path(path)
    state = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    if bits == 8:
        state = rounded(state)
    elif bits == 16:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, safetensors.torch.save(state))


# Parts of a model that are not in its weight files: losses and adversary are for training alone,
# and restorers bring their weights with them, so that any can stand before a trained model.
APART = ("losses.", "adversary.", "restore.")


def model_weights(path: str | Path, part: str = "") -> dict[str, Tensor]:
    """The weights in a file that a model is given: those of its losses and restorer are not.

    With `part`, those of this part alone, in a checkpoint of the whole or in a file of its own.
    """
    state, inside = read_weights(path), f"{part}." if part else ""
    found = {k.removeprefix(inside): v for k, v in state.items() if k.startswith(inside)}
    return {k: v for k, v in (found or state).items() if not k.startswith(APART)}


def weights_digest(about: str, part: object) -> bytes:
    """What tells a part, described by `about`, from others: its weights count, if it has any."""
    known = sha256(about.encode())
    for name, weight in sorted(part.state_dict().items()) if isinstance(part, nn.Module) else ():
        known.update(name.encode() + weight.cpu().numpy().tobytes())
    return known.digest()


def product(model: nn.Module) -> nn.Module:
    """What its weight files hold: the part that a model names as its `product`, or all of it.

    Training may need more than what it is for. None names no part: all weights were brought.
    """
    name = getattr(model, "product", "")
    return nn.Module() if name is None else model.get_submodule(name)


def own_state(model: nn.Module) -> dict[str, Tensor]:
    """What of a model's state is in its weight files."""
    part = product(model)
    return {k: v for k, v in part.state_dict().items() if not k.startswith(apart(part))}


def apart(model: nn.Module) -> tuple[str, ...]:
    """How the names of weights begin that are not in a model's files.

    Beside `APART` these are parts that say, as a frozen prior does, that theirs were `brought`.
    """
    parts = [f"{name}." for name, part in model.named_modules() if getattr(part, "brought", False)]
    return (*APART, *parts)


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Puts a weight file, or the checkpoint of a run, into a model.

    Raises:
        WeightsError: there is no such file, or it is of another architecture.
    """
    state = model_weights(path, getattr(model, "product", None) or "")
    own = {k: v for k, v in state.items() if not k.startswith(apart(product(model)))}
    load_into(model, own, str(path))


def load_into(model: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Puts `state` into `model`, every name and shape of which must fit.

    Raises:
        WeightsError: something is missing, left over or of another shape; `name` says what.
    """
    wanted = own_state(model)
    missing = [key for key in wanted if key not in state]
    surplus = [key for key in state if key not in wanted]
    if missing or surplus:
        first = f"lacks '{missing[0]}'" if missing else f"has '{surplus[0]}'"
        counts = f"{len(missing)} missing, {len(surplus)} left over, of {len(wanted)}"
        raise WeightsError(f"{name} is of another architecture: it {first} ({counts})")
    for key, value in wanted.items():
        if state[key].shape != value.shape:
            got, want = tuple(state[key].shape), tuple(value.shape)
            raise WeightsError(f"{name} is of another architecture: '{key}' is {got}, not {want}")
    fitting = {key: value.to(wanted[key].dtype) for key, value in state.items()}
    product(model).load_state_dict(fitting, strict=False)  # all that is not apart was found above


def checkpoint_to_resume(
    work_dir: str | Path, say: Callable[[str], None]
) -> tuple[Path, dict[str, Any]] | None:
    """The latest whole checkpoint of the run in `work_dir`, and its `meta`; None before the first.

    `say` is told, in one line, which it is, and which were passed over as they are not whole.

    Raises:
        WeightsError: none of those that there are is whole, or one is refused.
    """
    passed = []
    for path in checkpoints_of(work_dir):
        _check_size(path)
        if reason := torn(path):
            passed.append(f"{path.name} is not whole ({reason})")
            continue
        try:
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except pickle.UnpicklingError as error:
            raise WeightsError(f"{path} was refused: {_refused(str(error))}") from None
        except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
            passed.append(f"{path.name} is not whole ({_first_line(error)})")
            continue
        if not isinstance(content, dict) or not isinstance(content.get("meta"), dict):
            raise WeightsError(f"{path} is not the checkpoint of a run: it has no 'meta'")
        say(f"{', '.join(passed)}{': ' if passed else ''}going on from {path.name}")
        return path, content["meta"]
    if passed:
        raise WeightsError(f"no checkpoint in {work_dir} is whole: {', '.join(passed)}")
    return None


def checkpoints_of(work_dir: str | Path) -> list[Path]:
    """The checkpoints of the run in `work_dir` in the order in which it may be resumed from them.

    First those that came after the one that `last_checkpoint` names: whoever is killed between the
    two does not get to say so. Larger numbers that are older than that are from another run.
    """
    found = {}
    for path in Path(work_dir).glob("*.pth"):
        if match := re.fullmatch(r"(iter|epoch)_(\d+)\.pth", path.name):
            found[path] = int(match[2])
    said = Path(work_dir, "last_checkpoint")
    last = Path(said.read_text("utf-8", "replace").strip()) if said.is_file() else Path()
    here = Path(work_dir, last.name)  # the folder may have moved
    if here not in found and last.suffix == ".pth" and last.is_file():
        return [last]  # kept elsewhere
    if here not in found:
        return sorted(found, key=lambda p: (p.stat().st_mtime_ns, found[p]), reverse=True)
    since = said.stat().st_mtime_ns
    ours = [p for p in found if found[p] <= found[here] or p.stat().st_mtime_ns > since]
    return sorted(ours, key=found.__getitem__, reverse=True)


def torn(path: Path) -> str:
    """What tells that a checkpoint is not as it was written; "" if nothing does."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        return _first_line(error)
    return f"'{damaged}' in it is damaged" if damaged else ""


def read_foreign(path: str | Path) -> Any:
    """What a torch file of another project holds, every object but tensors and containers inert.

    Nothing that the file names is imported or called, whatever it says; torch's old and new file
    formats are both read.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"no weights at {path}")
    _check_size(path)
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


def _check_size(path: Path) -> None:
    """Refuses a zip whose parts are together larger than it is: torch packs nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return  # no zip, or a damaged one: whoever reads it says so
    if size > (own := path.stat().st_size):
        raise WeightsError(f"{path} was refused: {own} bytes that unpack to {size}")


def _is_zip(path: Path) -> bool:
    """Whether the file is of torch's format since 1.6; as `torch.load` decides that."""
    with path.open("rb") as file:
        return torch.serialization._is_zipfile(file)


def _is_program(path: Path) -> bool:
    """Whether `torch.load` would take the file for TorchScript, and run it; as it decides that."""
    if not _is_zip(path):
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


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _refused(message: str) -> str:
    """What torch's weights-only loader stumbled over, in one line."""
    for line in message.splitlines():
        if "GLOBAL" in line or ("global" in line.lower() and "Unsupported" in line):
            return line.strip()
    return "it holds more than tensors"
