"""Copies between the host and a device without needless waiting.

On a GPU each blocking copy, and each number read by the host, waits for all queued work, and no new
work is queued meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

# Replaces MMEngine's default, which does the same with blocking copies.
PREPROCESSOR = dict(type="BaseDataPreprocessor", non_blocking=True)


def constant(values: Sequence[float], like: Tensor) -> Tensor:
    """The values, as a tensor of the dtype and on the device of `like`."""
    return torch.tensor(values, dtype=like.dtype).to(like.device, non_blocking=True)


def on_host(report: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The numbers of a report as scalars on the CPU, copied from the device in one go."""
    report = {name: value.detach() for name, value in report.items()}
    away = [name for name, value in report.items() if value.device.type != "cpu"]
    if away:
        report |= zip(away, torch.stack([report[name] for name in away]).cpu())
    return report


class HostBuffers(nn.Module):
    """A module whose `host_buffers` stay on the CPU, as the host reads them at each step.

    They are in the state dict like other buffers, and keep their dtype.
    """

    host_buffers: tuple[str, ...] = ()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        kept = {name: self._buffers[name] for name in self.host_buffers}
        super()._apply(fn, recurse)
        self._buffers.update(kept)
        return self
