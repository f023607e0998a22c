"""Trains Unsup3D at its published width on synthetic heads for some seconds, and writes figures.

Before that it draws the heads and times how fast they are read. The file OUT is written anew after
each stage, so that a run that is stopped leaves what it had found.
"""

import json
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import click
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader, default_collate

from l2rkit.config import load_config
from l2rkit.data import PackPhoto, ResizeFace, SyntheticHeads
from l2rkit.engine.runner import TrainingRunner

CONFIG = Path(__file__).parents[2] / "configs" / "unsup3d" / "unsup3d_heads.py"
HEADS, BATCH, WIDTHS = 10_000, 64, (64, 32)
LAST = 12  # seconds for the last validation
PROFILED = range(60, 80)  # steps


class Report(dict):
    """Figures that lie in a file as soon as they are there."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def note(self, **figures: Any) -> None:
        self.update(figures)
        self.path.write_text(json.dumps(self, indent=1), "utf-8")


class FiguresByStep(Hook):
    """Notes speed, losses and errors by step, profiles some steps, and ends the run in time."""

    priority = "LOWEST"

    def __init__(self, report: Report, end: float, interval: int, profiled: range) -> None:
        self.report, self.end, self.interval, self.profiled = report, end, interval, profiled
        self.steps: list[dict[str, float]] = []
        self.errors: list[dict[str, float]] = []
        self.profile: profile | None = None

    def before_train(self, runner: Any) -> None:
        self.last = self.begun = time.monotonic()

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter == self.profiled.start:
            wait()
            kinds = [ProfilerActivity.CPU]
            kinds += [ProfilerActivity.CUDA] * torch.cuda.is_available()
            self.profile, self.profiling = profile(activities=kinds), time.monotonic()
            self.profile.start()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        done = runner.iter + 1
        if self.profile is not None and done == self.profiled.stop:
            wait()
            seconds = time.monotonic() - self.profiling
            self.profile.stop()
            self.report.note(profile=kernels(self.profile, seconds, len(self.profiled)))
            self.profile = None
        if done % self.interval == 0:
            now, scalars = time.monotonic(), runner.message_hub.log_scalars
            rate = self.interval * runner.train_dataloader.batch_size / (now - self.last)
            losses = {k: v.mean(self.interval) for k, v in scalars.items() if "loss" in k}
            self.steps.append(
                {"step": done, "seconds": now - self.begun, "images_per_second": rate, **losses}
            )
            self.last = now
            self.report.note(steps=self.steps, gib=gib())
        if time.monotonic() > self.end:
            runner.train_loop.stop_training = True

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        seconds = time.monotonic() - self.begun
        self.errors.append({"step": runner.iter, "seconds": seconds, **(metrics or {})})
        self.report.note(errors=self.errors)
        self.last = time.monotonic()  # validation does not count into the speed


@click.command(help=__doc__)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--seconds", default=160.0, show_default=True)
@click.option("--rehearse", is_flag=True, help="Tiny, on a CPU.")
def main(out: Path, seconds: float, rehearse: bool) -> None:
    end, report = time.monotonic() + seconds, Report(out)
    heads, workers = (16, 1) if rehearse else (HEADS, min(os.cpu_count() or 1, 16))
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        draw(heads, workers, folder)
        spent = time.monotonic() - begun
        report.note(drawing=dict(heads=heads, workers=workers, seconds=spent))
        report.note(reading=reading(heads, folder, (0,) if rehearse else (1, 4, 8, workers)))
        cfg = described(folder, heads, 0 if rehearse else workers - 2, rehearse)
        report.note(model=dict(cfg.model.decompose, type="Unsup3DDecomposer"))
        runner = TrainingRunner.from_cfg(cfg)
        interval, profiled = (1, range(1, 2)) if rehearse else (100, PROFILED)
        hook = FiguresByStep(report, end - LAST, interval, profiled)
        runner.register_hook(hook)
        runner.train()
        runner.val_loop.run()
    report.note(done=True)


def draw(count: int, workers: int, root: str) -> None:
    """Draws the heads of both splits, in several processes."""
    for split, size in (("train", count), ("val", max(4, count // 80))):
        heads = SyntheticHeads(split, size, root=root)
        with ProcessPoolExecutor(workers) as pool:
            list(pool.map(heads.__getitem__, range(0, size, heads.photos_per_person)))


def reading(count: int, root: str, workers: tuple[int, ...]) -> dict[str, float]:
    """Images a second that so many processes read and put into batches, while nothing trains."""
    pipeline = [dict(type=ResizeFace, image_size=64), dict(type=PackPhoto)]
    data, rates = SyntheticHeads("train", count, root=root, pipeline=pipeline), {}
    for number in workers:
        batch = min(BATCH, count // 2)
        loader = DataLoader(data, batch, True, num_workers=number, collate_fn=default_collate)
        batches = iter(loader)
        next(batches)  # the processes have begun
        begun, seen = time.monotonic(), 0
        for read in islice(batches, 200):
            seen += len(read["photo"])
        rates[str(number)] = seen / (time.monotonic() - begun)
        del batches
    return rates


def described(root: str, heads: int, workers: int, rehearse: bool) -> Config:
    """`unsup3d_heads` at the published width, from random weights, without files of its own."""
    cfg = load_config(CONFIG)
    width, encoder_width = (8, 8) if rehearse else WIDTHS
    cfg.model.decompose.update(width=width, encoder_width=encoder_width)
    cfg.load_from = None
    cfg.optim_wrapper.optimizer.lr = 1e-4
    cfg.param_scheduler = None
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if "Panel" not in str(hook.type)]
    cfg.default_hooks.checkpoint = None
    cfg.train_dataloader.update(
        batch_size=4 if rehearse else BATCH,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    cfg.train_dataloader.dataset.update(size=heads, root=root)
    cfg.val_dataloader.dataset.update(size=max(4, heads // 80), root=root)
    cfg.train_cfg.update(max_iters=2 if rehearse else 10**6, val_interval=2 if rehearse else 500)
    cfg.work_dir = str(Path(root, "work"))
    return cfg


def kernels(found: profile, seconds: float, steps: int) -> dict[str, Any]:
    """The share of the time in which the GPU computed, and what took most of it, in ms a step."""
    events = [
        (event.key, getattr(event, "self_device_time_total", 0)) for event in found.key_averages()
    ]
    # Kernels alone: operators have the time of their kernels, too, and would count twice.
    names = {event.name for event in found.events() if "CUDA" in str(event.device_type)}
    events = sorted(((n, t) for n, t in events if n in names), key=lambda e: -e[1])
    busy = sum(time for _, time in events) / 1e6
    return dict(
        ms_per_step=seconds / steps * 1e3,
        busy=busy / seconds,
        kernels={name[:80]: micros / 1e3 / steps for name, micros in events[:25]},
    )


def wait() -> None:
    """Until the GPU, if there is one, has done all."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def gib() -> float:
    """The most memory that was in use on the GPU, in GiB."""
    return torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else 0.0


if __name__ == "__main__":
    main()
