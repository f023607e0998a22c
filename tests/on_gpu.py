"""The GPU on which `pytest -m gpu tests/gpu` runs; L2RKIT_GPU=cpu rehearses it without one."""

import os
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

import pytest
import torch
from torch import Tensor

DEVICE = torch.device(os.environ.get("L2RKIT_GPU", "cuda"))
REHEARSED = DEVICE.type == "cpu"
marks = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not REHEARSED and not torch.cuda.is_available(), reason="no GPU is here"
    ),
]  # fmt: skip
T = TypeVar("T")


def there(record: T) -> T:
    """The record, such as a `Face`, with copies of its tensors on the GPU."""
    if isinstance(record, Tensor):
        return record.detach().clone().to(DEVICE)
    if not is_dataclass(record):
        return record
    return replace(record, **{f.name: there(getattr(record, f.name)) for f in fields(record)})


def error(got: Tensor, wanted: Tensor) -> float:
    """The norm of the difference by that of `wanted`, both in float64; NaN is infinitely wrong."""
    got, wanted = got.detach().cpu().double(), wanted.detach().cpu().double()
    off = (got - wanted).norm() / wanted.norm().clamp(min=1e-12)
    return off.nan_to_num(torch.inf).item()
