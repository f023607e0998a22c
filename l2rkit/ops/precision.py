"""Half precision for the layers of a part."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor

from ..errors import ConfigError

PRECISIONS = {None: None, "bfloat16": torch.bfloat16, "float16": torch.float16}


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
    """Autocast to `precision` on the photo's device; None changes nothing."""
    kind = PRECISIONS[precision]
    return torch.autocast(photo.device.type, dtype=kind, enabled=kind is not None)
