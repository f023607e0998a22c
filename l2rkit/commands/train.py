"""`l2rkit train`: a config in, checkpoints and logs out."""

from pathlib import Path
from typing import Any

import click

from ..errors import ConfigError
from .doors import OVERRIDES, load_for_runner, user_errors


@click.command()
@click.argument("config", type=click.Path())
@click.option("--work-dir", help="Where checkpoints and logs go.  [default: work_dirs/<config>]")
@click.option("--resume", is_flag=True, help="Go on from the latest checkpoint in the work dir.")
@click.option("--seed", type=int, help="Seed of everything random.")
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
    cfg.work_dir = work_dir or cfg.get("work_dir") or f"work_dirs/{Path(config).stem}"
    cfg.resume = resume
    if resume and Path(cfg.work_dir, "last_checkpoint").is_file():
        cfg.load_from = None  # MMEngine would rather resume from there than from the work dir
    start = cfg.get("load_from")
    if start and "://" not in start and not Path(start).is_file():
        raise ConfigError(f"{config} goes on from {start}, which is not there: train that first")
    if seed is not None:
        cfg.randomness = dict(seed=seed)
    if amp:
        halve(cfg, amp)
    from mmengine.registry import DATASETS
    from mmengine.runner import Runner

    DATASETS.build(cfg.train_dataloader.dataset)  # before the Runner: what is missing comes first
    if launcher == "pytorch":
        join_on_cpu()
    Runner.from_cfg(cfg).train()


def halve(cfg: Any, precision: str) -> None:
    """Sets the config to train in half precision; float16 needs its gradients scaled."""
    import torch

    from ..speed import ScaledOptimWrapper

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
