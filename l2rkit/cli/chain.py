"""The earlier trainings that a config's initial weights need."""

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
        steps = self.checkpoint.stem.rpartition("_")[2]
        short = ["--cfg-options", f"train_cfg.max_iters={steps}"] if self.ends_early else []
        place = ["--work-dir", str(self.checkpoint.parent)]
        return ["train", str(self.config), *place, "--resume", *short]


def missing_stages(cfg: Any) -> list[Stage]:
    """The stages to train before a loaded config, in order; none if its `load_from` exists.

    Raises:
        ConfigError: a config starts from a missing file that no config makes, or from its own.
    """
    from ..config import load_config
    from ..leaderboard.supervision import config_of_weights

    found: list[Stage] = []
    while (start := str(cfg.get("load_from") or "")) and "://" not in start:
        if Path(start).is_file():
            break
        own = Path(cfg.filename).resolve() if cfg.filename else None
        config = config_of_weights(start, own)
        if any(stage.config == config for stage in found):
            raise ConfigError(f"{config} begins with what it makes itself: {start}")
        cfg = load_config(config)
        steps = Path(start).stem.rpartition("_")[2]
        last = cfg.get("train_cfg", {}).get("max_iters")
        early = steps.isdigit() and last is not None and int(steps) < last
        found.insert(0, Stage(_short(config), Path(start), early))
    return found


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
        f"{config} goes on from {stages[-1].checkpoint}, which is not there: "
        f"first {first}; or all in one with --chain"
    )


def _short(config: Path) -> Path:
    """The path of a shipped config as typed by users, `configs/...`."""
    from ..config import HOMES

    for home in HOMES:
        if config.resolve().is_relative_to(home / "configs"):
            return config.resolve().relative_to(home)
    return config
