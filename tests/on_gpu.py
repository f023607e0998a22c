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


def error(got: Tensor, expected: Tensor) -> float:
    """Norm of the difference / norm of `expected`, in float64; infinite for NaN."""
    got, expected = got.detach().cpu().double(), expected.detach().cpu().double()
    off = (got - expected).norm() / expected.norm().clamp(min=1e-12)
    return off.nan_to_num(torch.inf).item()
