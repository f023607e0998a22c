"""The trainings that a config begins with, and that have not been done yet."""

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import click

from ..errors import ConfigError


class Stage(NamedTuple):
    """A config to be trained, and the checkpoint of it that the next one begins with."""

    config: Path
    checkpoint: Path
    ends_early: bool  # before the config's own last iteration

    def words(self) -> list[str]:
        """The words of `l2rkit` that train it, or go on with it."""
        steps = self.checkpoint.stem.rpartition("_")[2]
        short = ["--cfg-options", f"train_cfg.max_iters={steps}"] if self.ends_early else []
        place = ["--work-dir", str(self.checkpoint.parent)]
        return ["train", str(self.config), *place, "--resume", *short]


def missing_stages(cfg: Any) -> list[Stage]:
    """What has to be trained before a loaded config, in order; none if what it begins with is here.

    Raises:
        ConfigError: a config begins with a file that is not there and that no config makes.
    """
    from ..config import load_config
    from ..leaderboard.supervision import begun_with

    found: list[Stage] = []
    while (start := str(cfg.get("load_from") or "")) and "://" not in start:
        if Path(start).is_file():
            break
        own = Path(cfg.filename).resolve() if cfg.filename else None
        config = begun_with(start, own)
        if any(stage.config == config for stage in found):
            raise ConfigError(f"{config} begins with what it makes itself: {start}")
        cfg = load_config(config)
        steps = Path(start).stem.rpartition("_")[2]
        last = cfg.get("train_cfg", {}).get("max_iters")
        early = steps.isdigit() and last is not None and int(steps) < last
        found.insert(0, Stage(_short(config), Path(start), early))
    return found


def train_first(stages: list[Stage]) -> None:
    """Trains the stages in turn, each in a process of its own; each goes on where it was ended.

    Raises:
        ConfigError: one of them failed, or has not made its checkpoint.
    """
    for number, stage in enumerate(stages, 1):
        click.echo(f"{number} of {len(stages) + 1}: {stage.config}", err=True)
        ended = subprocess.run([sys.executable, "-m", "l2rkit", *stage.words()])
        if ended.returncode or not stage.checkpoint.is_file():
            raise ConfigError(
                f"{stage.config} has not come to {stage.checkpoint} (status {ended.returncode})"
            )


def said(config: str, stages: list[Stage]) -> str:
    """What is missing before a config can be trained, and what to do, in one line."""
    first = ", then ".join(f"`l2rkit {' '.join(stage.words())}`" for stage in stages)
    return (
        f"{config} goes on from {stages[-1].checkpoint}, which is not there: "
        f"first {first}; or all in one with --chain"
    )


def _short(config: Path) -> Path:
    """The path of a shipped config as people type it."""
    from ..config import HOMES

    for home in HOMES:
        if config.resolve().is_relative_to(home / "configs"):
            return config.resolve().relative_to(home)
    return config
