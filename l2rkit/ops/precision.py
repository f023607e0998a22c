"""Half precision of the layers of a part."""

from contextlib import AbstractContextManager

import torch
from torch import Tensor

from ..errors import ConfigError

PRECISIONS = {None: None, "bfloat16": torch.bfloat16, "float16": torch.float16}


def checked_precision(name: str, precision: str | None) -> str | None:
    """The precision of the part `name`, if it is one of `PRECISIONS`."""
    if precision not in PRECISIONS:
        wanted = ", ".join(map(repr, PRECISIONS))
        raise ConfigError(f"{name}: precision is one of {wanted}, not {precision!r}")
    return precision


def in_precision(precision: str | None, photo: Tensor) -> AbstractContextManager:
    """In this context, layers on the photo's device compute in `precision`, or as ever."""
    kind = PRECISIONS[precision]
    return torch.autocast(photo.device.type, dtype=kind, enabled=kind is not None)
