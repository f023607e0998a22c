"""A watch-dog: a step that went wrong is not taken. All limits are ours."""

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
class FiniteSteps(Hook):
    """Counts the steps that `GuardedOptimWrapper` skips, and puts buffers back as they were before.

    The log has the count as `skipped_steps`. Gradient scaling, as `--amp=float16` has it, looks
    after its own.

    Args:
        patience: after so many in a row the run ends in one line, its batch in the work dir.
    """

    priority = "HIGH"  # before anybody averages or saves

    def __init__(self, patience: int = 10) -> None:
        self.patience, self.in_a_row = patience, 0

    def before_train(self, runner: Runner) -> None:
        self.skipped = runner.message_hub.runtime_info.get("skipped_steps", 0)
        self.wrappers = checked_wrappers("FiniteSteps", runner.optim_wrapper)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        for wrapper in self.wrappers:
            wrapper.skipped = False
        self.before = {
            buffer: buffer.clone() for buffer in runner.model.buffers() if learns(buffer)
        }

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        bad = any(wrapper.skipped for wrapper in self.wrappers)
        self.in_a_row = self.in_a_row + 1 if bad else 0
        if bad:
            self.skipped += 1
            for buffer, was in self.before.items():
                if not buffer.isfinite().all():
                    buffer.copy_(was)
            runner.message_hub.update_info("skipped_steps", self.skipped)
        runner.message_hub.update_scalar("train/skipped_steps", self.skipped)
        if self.in_a_row == self.patience:
            path = Path(runner.work_dir, f"bad_batch_{runner.iter}.pth")
            if is_main_process():
                torch.save(data_batch, path)
            raise UserError(
                f"{self.patience} steps in a row had a loss or gradients that are not finite, the "
                f"last one {runner.iter}: its batch is {path}; try a smaller lr, or clip_grad"
            )


def learns(buffer: Tensor) -> bool:
    """Whether a buffer can be spoilt, and is no large table: those are made once."""
    return buffer.is_floating_point() and buffer.numel() <= 4096
