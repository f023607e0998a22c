"""Checks of a file's tensors: plain, finite, and together no larger than the file."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..errors import WeightsError

OFTEN = 2  # limit of (size of all tensors) / (size of the file), for views and tied weights


def check_tensors(content: Any, name: object, size: int, finite: bool = True) -> None:
    """Checks that all tensors in nested containers are plain, finite and not too large.

    size: bytes of the file. Tensors may share storages, as tied weights do, but copies of all of
    them may not exceed `OFTEN` times the file.

    Raises:
        WeightsError: names the file (`name`), the tensor and the fault.
    """
    seen: set[tuple] = set()
    total = 0
    for where, value in named_tensors(content):
        if kind := strange(value):
            raise WeightsError(f"{name} was refused: '{where}' is {kind}; weights must be plain")
        key = value.data_ptr(), value.dtype, tuple(value.shape), value.stride()
        total += 0 if key in seen else value.numel() * value.element_size()
        seen.add(key)
        if total > OFTEN * size:
            raise WeightsError(f"{name} was refused: {size} bytes that unpack to {total} or more")
        if finite and value.is_floating_point() and (wrong := not_finite(value)):
            raise WeightsError(f"{name} was refused: {wrong} of '{where}' are not finite")


def strange(value: Tensor) -> str:
    """The kind of a tensor that is not plain, such as "sparse"; "" for a plain one."""
    kinds = {
        "nested": value.is_nested,
        "sparse": value.layout != torch.strided,
        "quantized": value.is_quantized,
        "complex": value.is_complex(),
        "meta, without numbers": value.is_meta,
    }
    return next((kind for kind, it_is in kinds.items() if it_is), "")


def not_finite(value: Tensor) -> str:
    """The count of NaN and infinite values of a float tensor, as "2 of 9 values"; "" if none."""
    value = value.float() if value.element_size() == 1 else value
    if not value.numel() or bool(value.sum().isfinite()):
        return ""  # fast path; a sum of large numbers may overflow, so count below
    wrong = sum(int((~part.isfinite()).sum()) for part in value.reshape(-1).split(2**22))
    return f"{wrong} of {value.numel()} values" if wrong else ""


def named_tensors(content: Any) -> Iterator[tuple[str, Tensor]]:
    """Each tensor in nested containers, with its path, as "state_dict.a.weight"."""
    waiting, known = [("", content)], set()
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, Tensor):
            yield where, value
        if not isinstance(value, (dict, list, tuple)) or id(value) in known:
            continue
        known.add(id(value))
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        inside = [(f"{where}.{key}" if where else str(key), each) for key, each in pairs]
        waiting.extend(reversed(inside))
