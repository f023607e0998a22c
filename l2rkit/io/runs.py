"""Reads checkpoints of runs, limited to known keys and types.

A checkpoint without unsafe pickles can still be harmful: MMEngine runs its config as Python and
removes the files that it names. Only the keys and types listed here reach MMEngine's Runner.
"""

import pickle
from numbers import Number
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer
from torch import Tensor

from ..errors import WeightsError
from .pickles import check_size, first_line, load_plain, refused
from .tensors import check_tensors

NOTHING = type(None)
META = {  # MMEngine's keys without `config`, which it would run; `made_by` is ours
    "epoch": int,
    "iter": int,
    "seed": (int, NOTHING),
    "experiment_name": str,
    "time": str,
    "mmengine_version": str,
    "dataset_meta": (dict, NOTHING),
    "cfg": str,
    "made_by": dict,
}
NEEDED = ("state_dict", "optimizer", "message_hub")  # for resuming


class Unreadable(Exception):
    """A truncated or damaged file; the message is the reason."""


def open_run(path: Path) -> dict[str, Any]:
    """The content of a run's checkpoint, tensors memory-mapped where possible.

    Raises:
        WeightsError: it holds more than tensors and plain data, or is no checkpoint of a run.
        Unreadable: it is damaged.
    """
    check_size(path)
    try:
        content = load_plain(path)
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{path} was refused: {refused(str(error))}") from None
    except Exception as error:  # a damaged pickle may raise anything
        raise Unreadable(first_line(error)) from None
    if not isinstance(content, dict) or not isinstance(content.get("meta"), dict):
        raise WeightsError(f"{path} is not the checkpoint of a run: it has no 'meta'")
    check_tensors(content, path, path.stat().st_size, finite=False)
    check_tensors(content.get("state_dict"), path, path.stat().st_size)
    return content


def read_run(path: str | Path) -> dict[str, Any]:
    """The parts of a run's checkpoint for MMEngine's Runner: weights, states, counts, no config.

    Raises:
        WeightsError: the file is missing, damaged or no checkpoint of a run, or a value has a wrong
            type.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"no checkpoint at {path}")
    try:
        content = open_run(path)
    except Unreadable as error:
        raise WeightsError(f"{path} is incomplete ({error})") from None
    if missing := [key for key in NEEDED if key not in content]:
        raise WeightsError(f"{path} is not the checkpoint of a run: it has no '{missing[0]}'")
    try:
        return _known_parts(content, path)
    except RecursionError:
        raise WeightsError(f"{path} was refused: it is nested too deeply") from None


def meta_of(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """A checkpoint's `meta`, limited to the keys of `META`.

    Raises:
        WeightsError: a value has another type.
    """
    meta = {key: _typed(content["meta"][key], META[key], f"meta.{key}", path)
            for key in META if key in content["meta"]}  # fmt: skip
    return {key: _plain(value, f"meta.{key}", path) for key, value in meta.items()}


def _known_parts(content: dict[str, Any], path: Path) -> dict[str, Any]:
    found = {"meta": meta_of(content, path), "message_hub": _hub(content["message_hub"], path)}
    for key in ("epoch", "iter"):
        if key not in found["meta"]:
            raise WeightsError(f"{path} is not the checkpoint of a run: it has no 'meta.{key}'")
    for key in ("state_dict", "ema_state_dict"):
        if key in content:
            found[key] = _tensors(content[key], key, path)
    for key, kinds in (("optimizer", dict), ("param_schedulers", (list, dict))):
        if key in content:
            found[key] = _plain(_typed(content[key], kinds, key, path), key, path)
    return found


def _tensors(state: Any, where: str, path: Path) -> dict[str, Tensor]:
    for name, value in _typed(state, dict, where, path).items():
        _typed(value, Tensor, f"{where}.{name}", path)
    return {str(name): value.clone() for name, value in state.items()}  # a mapped file may change


def _hub(hub: Any, path: Path) -> dict[str, dict]:
    """The logs and counts of a run; file names are limited to the checkpoint's folder."""
    parts = {
        key: _typed(
            _typed(hub, dict, "message_hub", path).get(key), dict, f"message_hub.{key}", path
        )
        for key in ("log_scalars", "runtime_info", "resumed_keys")
    }
    scalars = {k: v for k, v in parts["log_scalars"].items() if isinstance(v, HistoryBuffer)}
    info = {}
    for key, value in parts["runtime_info"].items():
        if key == "cfg":  # this run has its own
            continue
        if key == "last_ckpt" or str(key).startswith("best_ckpt"):
            if isinstance(value, str) and Path(value).suffix == ".pth":
                info[key] = str(path.parent / Path(value).name)
        elif key == "keep_ckpt_ids":
            if isinstance(value, list) and all(type(step) is int for step in value):
                info[key] = list(value)
        elif key == "dataset_meta" or isinstance(value, (str, Number, np.generic, NOTHING)):
            info[key] = _plain(value, f"message_hub.{key}", path)
    keys = {k: bool(v) for k, v in parts["resumed_keys"].items() if k in scalars or k in info}
    return {"log_scalars": scalars, "runtime_info": info, "resumed_keys": keys}


def _plain(value: Any, where: str, path: Path) -> Any:
    """A copy of nested containers of tensors, arrays, numbers and strings.

    Raises:
        WeightsError: they hold anything else.
    """
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        copied = {key: _plain(inner, f"{where}.{key}", path) for key, inner in value.items()}
        return type(value)(copied)
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(inner, where, path) for inner in value)
    return _typed(value, (str, Number, np.generic, np.ndarray, NOTHING), where, path)


def _typed(value: Any, kinds: Any, where: str, path: Path) -> Any:
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds in (int, (int, NOTHING))):
        expected = " or ".join(
            k.__name__ for k in (kinds if isinstance(kinds, tuple) else (kinds,))
        )
        raise WeightsError(
            f"{path} was refused: '{where}' is of {type(value).__name__}, not {expected}"
        )
    return value
