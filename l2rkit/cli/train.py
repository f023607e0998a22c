"""`l2rkit train`: a config in, checkpoints and logs out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..errors import ConfigError, UserError
from .common import OVERRIDES, load_for_runner, user_errors
from .starting import (
    alone_in,
    check_config,
    check_data,
    check_launcher,
    check_place,
    check_weights,
    go_on,
)


@click.command()
@click.argument("config", type=click.Path())
@click.option("--work-dir", help="Where checkpoints and logs go.  [default: work_dirs/<config>]")
@click.option("--resume", is_flag=True, help="Go on from the latest checkpoint in the work dir.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Seed of everything random.")
@click.option(
    "--amp",
    type=click.Choice(["bfloat16", "float16"]),
    is_flag=False,
    flag_value="bfloat16",
    help="Networks in half precision, bfloat16 if not said; float16 needs a GPU.",
)
@click.option("--launcher", type=click.Choice(["none", "pytorch", "slurm", "mpi"]), default="none")
@OVERRIDES
@user_errors
def train(
    config: str,
    work_dir: str | None,
    resume: bool,
    seed: int | None,
    amp: str | None,
    launcher: str,
    cfg_options: dict[str, Any],
) -> None:
    """Trains CONFIG."""
    cfg = load_for_runner(config, cfg_options, launcher)
    check_config(cfg, config)
    check_launcher(launcher)
    cfg.work_dir = work_dir or cfg.get("work_dir") or f"work_dirs/{Path(config).stem}"
    check_place(cfg.work_dir)
    cfg.resume = False
    if amp:
        halve(cfg, amp)
    if resume and not go_on(cfg, seed):
        return
    if seed is not None and not cfg.resume:
        cfg.randomness = dict(seed=seed)
    check_weights(cfg)
    from ..engine.runner import TrainingRunner

    check_data(cfg)  # before the Runner: what is missing comes first
    with alone_in(cfg.work_dir), one_line_if_full(cfg.work_dir):
        if launcher == "pytorch":
            join_on_cpu()
        TrainingRunner.from_cfg(cfg).train()
    leave()


@contextmanager
def one_line_if_full(work_dir: str) -> Iterator[None]:
    """A disk that is full ends the run in one line; checkpoints that were whole still are."""
    import logging

    from ..io.files import is_full

    logging.raiseExceptions = False  # else each line of the log would bring a traceback
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        where = error.filename or work_dir
        raise UserError(
            f"{where} could not be written: {error.strerror}; make room and go on with --resume"
        ) from None


def halve(cfg: Any, precision: str) -> None:
    """Sets the config to train in half precision; float16 needs its gradients scaled."""
    import torch

    from ..engine.precision import ScaledOptimWrapper

    cfg.model.precision = precision
    if precision == "float16":
        if not torch.cuda.is_available():
            raise ConfigError("--amp=float16 needs a GPU; bfloat16 runs on CPUs, too")
        cfg.optim_wrapper.type = ScaledOptimWrapper


def join_on_cpu() -> None:
    """Joins torchrun's processes with gloo where there is no GPU; MMEngine's own way needs one."""
    import torch

    if not torch.cuda.is_available():
        torch.distributed.init_process_group("gloo")


def leave() -> None:
    """Ends what joined the processes: its threads, if still there at the end, may abort them."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
