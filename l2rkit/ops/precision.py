"""Half precision for the layers of a part, where the device has it."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch
from torch import Tensor

from ..errors import ConfigError

PRECISIONS = {None: None, "bfloat16": torch.bfloat16, "float16": torch.float16}
# oneDNN is asked; without its kernels, layers take about a hundred times as long as in float32.
ASKED = {
    torch.bfloat16: "_is_mkldnn_bf16_supported",
    torch.float16: "_is_mkldnn_fp16_supported",
}


def checked_precision(name: str, precision: str | None) -> str | None:
    """`precision`, if it is one of `PRECISIONS`; `name` is the part in the error.

    Raises:
        ConfigError: it is not.
    """
    if precision not in PRECISIONS:
        expected = ", ".join(map(repr, PRECISIONS))
        raise ConfigError(f"{name}: precision is one of {expected}, not {precision!r}")
    return precision


def in_precision(precision: str | None, photo: Tensor) -> AbstractContextManager:
    """Autocast to `precision` on the photo's device; None changes nothing.

    With a precision that the processor lacks, all is float32, which is far faster there than half
    precision, and more exact.
    """
    device, kind = photo.device.type, PRECISIONS[precision]
    if kind is None:
        return nullcontext()
    return torch.autocast(device, dtype=kind, enabled=device != "cpu" or cpu_computes_in(kind))


@cache
def cpu_computes_in(kind: torch.dtype) -> bool:
    """Whether torch has kernels for layers in `kind`, a half precision, on this processor."""
    asked = getattr(torch.ops.mkldnn, ASKED[kind], None)  # absent in builds without oneDNN
    return asked is not None and asked()
