"""Devices."""

import torch

from ..errors import UserError


def device_names() -> list[str]:
    """The devices that torch can use: cpu, then each GPU."""
    names = ["cpu"]
    if torch.cuda.is_available():
        names += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    return names


def chosen_device(name: str) -> str:
    """The device called `name`; "auto" is the GPU where there is one, else the CPU.

    Raises:
        UserError: there is no such device.
    """
    known = device_names()
    if name == "auto":
        return known[1] if len(known) > 1 else "cpu"
    if name not in known:
        raise UserError(f"no device '{name}' here; there is {', '.join(known)}, or auto")
    return name
