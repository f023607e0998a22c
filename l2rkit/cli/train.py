"""`l2rkit train`: trains a config."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from ..errors import ConfigError, UserError
from .chain import check_reachable, missing_stages, said, train_first
from .common import HELP, OVERRIDES, join_on_cpu, leave, load_for_runner, user_errors
from .starting import (
    alone_in,
    check_config,
    check_data,
    check_kept,
    check_launcher,
    check_place,
    check_weights,
    go_on,
)

LOGGERS = {  # MMEngine's back ends and the packages that they import at the start of training
    "TensorboardVisBackend": "tensorboard",
    "WandbVisBackend": "wandb",
    "MLflowVisBackend": "mlflow",
    "ClearMLVisBackend": "clearml",
    "NeptuneVisBackend": "neptune",
    "DVCLiveVisBackend": "dvclive",
    "AimVisBackend": "aim",
}
MEASURING = ("test_dataloader", "test_evaluator", "test_cfg")  # keys that training does not read


class Resume(click.Option):
    """`--resume`, `--resume auto` or `--resume FILE.pth`; a config after it is not its value."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        super().add_to_parser(parser, ctx)
        option = parser._long_opt["--resume"]
        process = option.process

        def unless_config(value: Any, state: Any) -> None:
            if isinstance(value, str) and value.endswith(".py"):
                state.rargs.insert(0, value)
                value = self.flag_value
            process(value, state)

        option.process = unless_config


@click.command(context_settings=HELP)
@click.argument("config", type=click.Path())
@click.option("--work-dir", help="Folder of checkpoints and logs.  [default: work_dirs/<config>]")
@click.option(
    "--resume",
    cls=Resume,
    is_flag=False,
    flag_value="auto",
    metavar="[auto|CHECKPOINT]",
    help="Resume from the latest checkpoint in the work dir, or from CHECKPOINT.",
)
@click.option(
    "--chain", is_flag=True, help="First train what CONFIG starts or learns from, if needed."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Seed of all random numbers.")
@click.option(
    "--amp",
    type=click.Choice(["bfloat16", "float16"]),
    is_flag=False,
    flag_value="bfloat16",
    help="Networks in half precision, by default bfloat16; float16 needs a GPU.",
)
@click.option(
    "--auto-scale-lr",
    is_flag=True,
    help="Scale learning rates by the batch of all processes; the config's are for one process.",
)
@click.option("--launcher", type=click.Choice(["none", "pytorch", "slurm", "mpi"]), default="none")
@OVERRIDES
@user_errors
def train(
    config: str,
    work_dir: str | None,
    resume: str | None,
    chain: bool,
    seed: int | None,
    amp: str | None,
    auto_scale_lr: bool,
    launcher: str,
    cfg_options: dict[str, Any],
) -> None:
    """Trains CONFIG.

    Some configs start or learn from the weights of another: shipped ones are there, others must be
    trained before, which --chain does. Training may be interrupted at any time and resumed.
    """
    cfg = load_for_runner(config, cfg_options, launcher, unread=MEASURING)
    cfg.work_dir = work_dir or cfg.get("work_dir") or f"work_dirs/{Path(config).stem}"
    check_place(cfg.work_dir)
    check_loggers(cfg)
    check_config(cfg, config)
    if chain and launcher != "none":
        raise ConfigError("--chain trains in one process: with a launcher, train each by itself")
    check_launcher(launcher)
    cfg.resume = False
    if amp:
        halve(cfg, amp)
    if auto_scale_lr:
        cfg.auto_scale_lr = dict(base_batch_size=base_batch(config, cfg), enable=True)
    if resume and not go_on(cfg, seed, resume):
        return
    if resume != "auto":
        check_kept(cfg.work_dir, resume)
    if not cfg.resume:
        begin(cfg, config, chain, for_each(seed, amp))
    if seed is not None and not cfg.resume:
        cfg.randomness = dict(cfg.get("randomness") or {}, seed=seed)
    check_weights(cfg)
    from ..engine.console import TrainingProgress
    from ..engine.runner import TrainingRunner

    check_data(cfg)  # before the Runner, so that errors of data come first
    with alone_in(cfg.work_dir), one_line_if_full(cfg.work_dir):
        join_on_cpu(launcher)
        runner = TrainingRunner.from_cfg(cfg)
        interval = cfg.get("default_hooks", {}).get("logger", {}).get("interval", 100)
        runner.register_hook(TrainingProgress(config, interval))
        runner.train()
    leave()


def check_loggers(cfg: Any) -> None:
    """Raises ConfigError if a visualizer's back ends are no list, or miss a package."""
    backends = (cfg.get("visualizer") or {}).get("vis_backends") or []
    if not isinstance(backends, list) or not all(
        isinstance(b, dict) and "type" in b for b in backends
    ):
        expected = "[dict(type='LocalVisBackend')]"
        raise ConfigError(f"visualizer.vis_backends is a list such as {expected}, not {backends}")
    for backend in backends:
        kind = backend["type"]
        name = kind.rpartition(".")[2] if isinstance(kind, str) else kind.__name__
        package = LOGGERS.get(name)
        if package and find_spec(package) is None:
            raise ConfigError(f"{name} needs the package {package}: pip install {package}")


def base_batch(config: str, cfg: Any) -> int:
    """The batch size of the config's learning rates: its `auto_scale_lr`, or its batch size."""
    from ..config import load_config

    said = cfg.get("auto_scale_lr") or {}
    return said.get("base_batch_size") or load_config(config).train_dataloader.batch_size


def for_each(seed: int | None, amp: str | None) -> list[str]:
    """The options that hold for each training of a chain; overrides are for the last alone."""
    given = {"--seed": seed, "--amp": amp}
    return [f"{option}={value}" for option, value in given.items() if value is not None]


def begin(cfg: Any, config: str, chain: bool, options: Sequence[str] = ()) -> None:
    """Checks that what the config starts and learns from exists; with `chain`, trains it first.

    options: of each of these trainings.

    Raises:
        ConfigError: it is missing, and `chain` is off or no config makes it.
    """
    start = cfg.get("load_from")
    there = not start or "://" in str(start) or Path(start).is_file()
    try:
        stages = missing_stages(cfg)
    except ConfigError as error:  # a file of one's own, which no config makes
        said_so = str(error) if there else f"{config} goes on from {start}, which is not there"
        raise ConfigError(said_so) from None
    if not stages:
        return
    check_reachable(stages)
    if not chain:
        raise ConfigError(said(config, stages))
    train_first(stages, options)


@contextmanager
def one_line_if_full(work_dir: str) -> Iterator[None]:
    """A context in which a full disk is a one-line UserError."""
    import logging

    from ..io.files import is_full

    logging.raiseExceptions = False  # against a traceback for each line of the log
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
    """Sets the config to train in half precision, with gradient scaling for float16.

    Raises:
        ConfigError: float16 without a GPU.
    """
    import torch

    from ..engine.precision import ScaledOptimWrapper
    from ..ops.precision import cpu_computes_in

    cfg.model.precision = precision
    if precision == "float16":
        if not torch.cuda.is_available():
            raise ConfigError("--amp=float16 needs a GPU; bfloat16 runs on CPUs, too")
        cfg.optim_wrapper.type = ScaledOptimWrapper
    elif not torch.cuda.is_available() and not cpu_computes_in(torch.bfloat16):
        click.echo("--amp: this processor does not compute in bfloat16, so float32 is used")
