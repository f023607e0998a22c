"""Copies between the host and a device for which neither waits longer than it must.

On a GPU each blocking copy and each number that the host asks for waits until all work that was
begun is done, and nothing new is begun meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

# In the place of MMEngine's default, which does the same and waits.
PREPROCESSOR = dict(type="BaseDataPreprocessor", non_blocking=True)


def constant(values: Sequence[float], like: Tensor) -> Tensor:
    """The values, as a tensor of the dtype and on the device of `like`."""
    return torch.tensor(values, dtype=like.dtype).to(like.device, non_blocking=True)


def on_host(report: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The numbers of a report, each a scalar on the CPU, by one copy from the device."""
    report = {name: value.detach() for name, value in report.items()}
    away = [name for name, value in report.items() if value.device.type != "cpu"]
    if away:
        report |= zip(away, torch.stack([report[name] for name in away]).cpu())
    return report


class HostBuffers(nn.Module):
    """A module some of whose buffers, numbers that the host reads at each step, stay on the CPU.

    `host_buffers` names them. They are part of the state as all others, and keep their dtype.
    """

    host_buffers: tuple[str, ...] = ()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        kept = {name: self._buffers[name] for name in self.host_buffers}
        super()._apply(fn, recurse)
        self._buffers.update(kept)
        return self
