"""Skips non-finite steps. All limits are ours."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor

from ..errors import UserError
from .distributed import checked_wrappers


@HOOKS.register_module()
class SkipNonFiniteSteps(Hook):
    """Skips each step with a non-finite batch, loss or gradient, and restores buffers.

    `GuardedOptimWrapper` skips the step; the hook checks the batch before and restores buffers
    after. Non-finite numbers of a batch are set to 0 in the skipped step. The log counts such steps
    as `skipped_steps`. Gradient scaling (`--amp=float16`) handles its own overflows.

    Args:
        patience: consecutive skipped steps after which the run ends with one line; the batch is
            saved in the work dir.
    """

    priority = "HIGH"  # before other hooks average or save

    def __init__(self, patience: int = 10) -> None:
        self.patience, self.in_a_row = patience, 0
        self.spoilt: Any = None  # the first batch of a step, as it came, that is not finite
        self.begins = True  # whether the next batch begins a step, of which several may be part

    def before_train(self, runner: Runner) -> None:
        self.skipped = runner.message_hub.runtime_info.get("skipped_steps", 0)
        self.wrappers = checked_wrappers("SkipNonFiniteSteps", runner.optim_wrapper)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if self.begins:
            self.spoilt = None
            self.before = {
                buffer: buffer.clone() for buffer in runner.model.buffers() if learns(buffer)
            }
        if not all(all_finite(value) for value in tensors(data_batch)):
            if self.spoilt is None:
                self.spoilt = deepcopy(data_batch)
            replace_nonfinite(data_batch)
        for wrapper in self.wrappers:
            wrapper.skipped, wrapper.spoilt = False, self.spoilt is not None

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        bad = any(wrapper.skipped for wrapper in self.wrappers)
        self.begins = all(wrapper.should_update() for wrapper in self.wrappers)
        if self.begins:
            self.in_a_row = self.in_a_row + 1 if bad else 0
        if bad:
            self.skipped += 1
            for buffer, was in self.before.items():
                buffer.copy_(was)
            runner.message_hub.update_info("skipped_steps", self.skipped)
        runner.message_hub.update_scalar("train/skipped_steps", self.skipped)
        if self.in_a_row == self.patience:
            path = Path(runner.work_dir, f"bad_batch_{runner.iter}.pth")
            if is_main_process():
                torch.save(data_batch if self.spoilt is None else self.spoilt, path)
            what = "loss or gradients" if self.spoilt is None else "photos"
            hint = "try a smaller lr, or clip_grad" if self.spoilt is None else "look at the data"
            raise UserError(
                f"{self.patience} steps in a row had {what} that are not finite, the last one "
                f"{runner.iter}: its batch is {path}; {hint}"
            )


def tensors(batch: Any) -> Iterator[Tensor]:
    """All tensors in nested dicts and lists."""
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, (dict, list, tuple)):
        for inner in batch.values() if isinstance(batch, dict) else batch:
            yield from tensors(inner)


def replace_nonfinite(batch: Any) -> None:
    """Sets non-finite numbers of a batch to 0."""
    if isinstance(batch, Tensor):
        batch.nan_to_num_(0, 0, 0)
    elif isinstance(batch, dict | list):
        for key in list(batch) if isinstance(batch, dict) else range(len(batch)):
            if isinstance(batch[key], Tensor):  # a data set may keep the tensor itself
                batch[key] = batch[key].nan_to_num(0, 0, 0)
            else:
                replace_nonfinite(batch[key])


def all_finite(value: Tensor) -> bool:
    """Whether all numbers of a tensor are finite, in this process."""
    return not value.is_floating_point() or bool(value.isfinite().all())


def learns(buffer: Tensor) -> bool:
    """Whether a step may change the buffer; large constant tables are excluded."""
    return buffer.is_floating_point() and buffer.numel() <= 4096
