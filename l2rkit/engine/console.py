"""Console output of training; the log file has everything."""

import logging
import sys
import time
from pathlib import Path
from textwrap import fill
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapperDict
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

BAR = 24  # characters
RECENT = 20  # steps over which the loss is averaged
# MMEngine's warnings of frozen weights, of a resumed run's data, and of its own old names: in the
# log file only
UNSAID = (
    "is skipped since its requires_grad=False",
    "Advance dataloader",
    '"FileClient" will be',
    '"HardDiskBackend" is',
)


class QuietRunner(Runner):
    """A Runner with only warnings on the console; its log file has everything."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                handler.setLevel(max(handler.level, logging.WARNING))
                handler.addFilter(is_said)
        return logger


def is_said(record: logging.LogRecord) -> bool:
    """Whether a warning is for the console."""
    message = record.getMessage()
    return not any(words in message for words in UNSAID)


@HOOKS.register_module()
class TrainingProgress(Hook):
    """Prints a summary of ten lines to standard error, then progress.

    In a terminal one line is updated; elsewhere there is one every `interval` steps, and one for
    each validation.
    """

    priority = "LOWEST"  # after the figures of a step are there

    def __init__(self, config: str, interval: int = 100) -> None:
        self.config, self.interval = config, interval

    def before_train(self, runner: Runner) -> None:
        self.begun, self.first = time.monotonic(), runner.iter
        if is_main_process():
            say("\n".join(summary(runner, self.config)))

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        done, whole = runner.iter + 1, runner.max_iters
        terminal = sys.stderr.isatty()
        if not is_main_process() or not (terminal or done % self.interval == 0 or done == whole):
            return
        left = (time.monotonic() - self.begun) / (done - self.first) * (whole - done)
        bar = "#" * round(BAR * done / whole)
        line = f"[{bar:{BAR}}] {done}/{whole}  {losses(runner)}  {clock(left)} left"
        say(line, over=terminal and done < whole)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if is_main_process():
            figures = [f"{k} {v:.4g}" for k, v in (metrics or {}).items() if "_std" not in k]
            said = f"validated after {runner.iter} steps: {', '.join(figures)}"
            say(fill(said, 120, subsequent_indent="  "))


def summary(runner: Runner, config: str) -> list[str]:
    """Ten lines: model, data, length of training, and output folder."""
    cfg, loader = runner.cfg, runner.train_dataloader
    model = getattr(runner.model, "module", runner.model)
    weights = [weight for weight in model.parameters()]
    learn = sum(weight.numel() for weight in weights if weight.requires_grad)
    batch = (loader.batch_size or 1) * get_world_size()
    wrapper = runner.optim_wrapper
    wrappers = list(wrapper.values()) if isinstance(wrapper, OptimWrapperDict) else [wrapper]
    rates = [
        group.get("initial_lr", group["lr"]) for w in wrappers for group in w.optimizer.param_groups
    ]
    rate = " to ".join(f"{rate:g}" for rate in sorted({min(rates), max(rates)}))
    start = cfg.get("load_from") or "random weights"
    done = f", after step {runner.iter:,}" if runner.iter else ""
    processes = f"{get_world_size()} process{'es' * (get_world_size() > 1)}"
    every = cfg.get("default_hooks", {}).get("checkpoint", {}).get("interval", -1)
    saves = f", saved every {every:,}" if every > 0 else ", saved at the end"
    checks = f", validated every {runner.val_interval:,}" if runner.val_loop else ""
    files = Path(runner.log_dir)
    device = next((weight.device for weight in weights), "cpu")
    lines = {
        "config": config,
        "model": f"{type(model).__name__}: {', '.join(parts(model))}",
        "weights": f"{sum(w.numel() for w in weights):,}, of which {learn:,} learn",
        "begins with": f"{start}{done}",
        "losses": ", ".join(getattr(model, "losses", {})) or "the model's own",
        "data": f"{type(loader.dataset).__name__}, {len(loader.dataset):,} samples, {batch} a step",
        "optimizer": f"{', '.join(type(w.optimizer).__name__ for w in wrappers)}, lr {rate}",
        "steps": f"{runner.max_iters:,}{checks}{saves}",
        "runs on": f"{device}, {processes}, seed {runner.seed}",
        "writes to": f"{runner.work_dir}; the whole config and log: {files.name}/*.log",
    }
    return [f"{name:12}{value}"[:120] for name, value in lines.items()]


def parts(model: nn.Module) -> list[str]:
    """The classes of a model's parts, except its losses."""
    found = []
    for name, part in model.named_children():
        if name not in ("losses", "data_preprocessor"):
            inside = part if isinstance(part, nn.ModuleDict) else {name: part}
            found += [type(one).__name__ for one in inside.values()]
    return found


def losses(runner: Runner) -> str:
    """The sum of the losses, or each total that the model logs, over the last steps."""
    logged = runner.message_hub.log_scalars
    names = [name for name in ("train/loss",) if name in logged] or [
        name for name in logged if name.startswith("train/") and name.endswith("loss")
    ]
    values = (logged[name].mean(RECENT) for name in names)
    return "  ".join(f"{name.removeprefix('train/')} {v:.4g}" for name, v in zip(names, values))


def clock(seconds: float) -> str:
    """`1:02:03` or `02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def say(text: str, over: bool = False) -> None:
    """Prints a line to standard error; if `over`, the next one replaces it."""
    terminal = sys.stderr.isatty()
    print(
        f"\r{text}\x1b[K" if terminal else text,
        file=sys.stderr,
        flush=True,
        end="" if over else "\n",
    )
