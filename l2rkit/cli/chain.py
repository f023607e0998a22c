"""The earlier trainings that a config's initial weights and teachers need."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from ..errors import ConfigError


class Stage(NamedTuple):
    """A config to be trained, and its checkpoint from which the next config starts."""

    config: Path
    checkpoint: Path
    ends_early: bool  # the checkpoint is before the config's last iteration

    def words(self) -> list[str]:
        """The arguments of `l2rkit` that train or resume it."""
        last = f"train_cfg.max_iters={steps_of(self.checkpoint)}"
        short = ["--cfg-options", last] if self.ends_early else []
        place = ["--work-dir", str(self.checkpoint.parent)]
        return ["train", str(self.config), *place, "--resume", *short]


def steps_of(checkpoint: Path) -> int | None:
    """The number of steps in a checkpoint's name; None if it has none."""
    number = checkpoint.stem.rpartition("_")[2]
    return int(number) if number.isdigit() else None


def missing_stages(cfg: Any) -> list[Stage]:
    """The stages to train before a loaded config, in order; none if its checkpoints exist.

    They are those of its `load_from` and of its losses' teachers.

    Raises:
        ConfigError: a config needs a missing file that no config makes, or its own.
    """
    return list(dict.fromkeys(_stages_of(cfg, ())))


def _stages_of(cfg: Any, making: tuple[Path, ...]) -> Iterator[Stage]:
    from ..config import load_config

    for checkpoint, config in _missing(cfg):
        source = load_config(config)
        path = Path(source.filename).resolve()
        if path in making:
            raise ConfigError(f"{config} begins with what it makes itself: {checkpoint}")
        yield from _stages_of(source, (*making, path))
        steps, last = steps_of(checkpoint), source.get("train_cfg", {}).get("max_iters")
        early = steps is not None and last is not None and steps < last
        yield Stage(_short(path), checkpoint, early)


def _missing(cfg: Any) -> Iterator[tuple[Path, Path]]:
    """Each checkpoint that a config starts or learns from and that is missing, and its config."""
    from ..leaderboard.supervision import config_of_weights, teachers_of

    start = str(cfg.get("load_from") or "")
    if start and "://" not in start and not Path(start).is_file():
        own = Path(cfg.filename).resolve() if cfg.filename else None
        yield Path(start), config_of_weights(start, own)
    for config, weights in teachers_of(cfg):
        checkpoint = Path(weights)
        if checkpoint.suffix == ".pth" and not checkpoint.is_file():  # else shipped
            yield checkpoint, Path(config)


def check_reachable(stages: list[Stage]) -> None:
    """Checks that no training of the stages has gone beyond the checkpoint that is needed.

    Raises:
        ConfigError: one has; resumed, it would not come back to it.
    """
    from ..io.checkpoints import checkpoints_of

    for checkpoint in (stage.checkpoint for stage in stages):
        steps = steps_of(checkpoint)
        for later in checkpoints_of(checkpoint.parent):
            done = steps_of(later)
            if steps is not None and done is not None and done > steps:
                raise ConfigError(
                    f"{checkpoint} is not there, and the training in its folder has gone on to "
                    f"{later.name}: begin with that, or move the folder away to train it again"
                )


def train_first(stages: list[Stage], options: Sequence[str] = ()) -> None:
    """Trains the stages in order, each in a separate process; interrupted ones are resumed.

    options: more arguments of `l2rkit train` for each. If this process is terminated, so is that
    of the stage.

    Raises:
        ConfigError: a stage failed, or did not write its checkpoint.
    """
    for number, stage in enumerate(stages, 1):
        click.echo(f"{number} of {len(stages) + 1}: {stage.config}", err=True)
        with ends_on_sigterm():  # `run` then kills its process
            ended = subprocess.run([sys.executable, "-m", "l2rkit", *stage.words(), *options])
        if ended.returncode or not stage.checkpoint.is_file():
            raise ConfigError(
                f"{stage.config} has not come to {stage.checkpoint} (status {ended.returncode})"
            )


@contextmanager
def ends_on_sigterm() -> Iterator[None]:
    """A context in which SIGTERM raises SystemExit instead of ending the process at once."""

    def leave(number: int, frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def said(config: str, stages: list[Stage]) -> str:
    """A line on the missing checkpoint of a config, and the commands that make it."""
    first = ", then ".join(f"`l2rkit {' '.join(stage.words())}`" for stage in stages)
    return (
        f"{config} needs {stages[-1].checkpoint}, which is not there: "
        f"first {first}; or all in one with --chain"
    )


def _short(config: Path) -> Path:
    """The path of a shipped config as typed by users, `configs/...`."""
    from ..config import HOMES

    for home in HOMES:
        if config.resolve().is_relative_to(home / "configs"):
            return config.resolve().relative_to(home)
    return config
