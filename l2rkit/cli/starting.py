"""Checks before a training starts; each fault is a one-line error."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import click

from ..errors import ConfigError, UserError

NEEDED = ("model", "train_dataloader", "train_cfg", "optim_wrapper")
JOINED_BY = {  # environment variables set by a launcher
    "pytorch": ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"),
    "slurm": ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS", "SLURM_NODELIST"),
    "mpi": ("OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
}
COUNTS = {  # keys of a config that are whole numbers, and their least values
    "train_cfg.max_iters": 1,
    "train_cfg.max_epochs": 1,
    "train_cfg.val_interval": 1,
    "train_dataloader.batch_size": 1,
    "train_dataloader.num_workers": 0,
    "val_dataloader.batch_size": 1,
    "val_dataloader.num_workers": 0,
    "randomness.seed": 0,
}
LOCK = ".training"


def check_config(cfg: Any, name: str) -> None:
    """Checks the keys and numbers that training needs.

    Raises:
        ConfigError: a key is missing, or a number is out of its range.
    """
    for key in NEEDED:
        if not isinstance(cfg.get(key), dict):
            raise ConfigError(f"{name} does not train: it has no {key}")
    for path, least in COUNTS.items():
        value = at(cfg, path)
        if value is not None and (type(value) is not int or value < least):
            raise ConfigError(f"{path} is a whole number from {least} up, not {value!r}")
    for path, value in rates(cfg.optim_wrapper, "optim_wrapper"):
        if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
            raise ConfigError(f"{path} is a finite number, 0 or more, not {value!r}")


def at(cfg: Any, path: str) -> Any:
    """The value at a dotted path; None if there is none."""
    for step in path.split("."):
        cfg = cfg.get(step) if isinstance(cfg, dict) or hasattr(cfg, "get") else None
    return cfg


def rates(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(dotted path, value) of each learning rate in the config of optimizers."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key == "lr":
            yield f"{path}.{key}", inner
        yield from rates(inner, f"{path}.{key}")


def check_place(work_dir: str) -> None:
    """Checks that a work dir can be made.

    Raises:
        UserError: it, or a folder above it, is a file.
    """
    place = Path(work_dir)
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise UserError(f"cannot write to {work_dir}: {place} is no folder")


def check_kept(work_dir: str, resumed: str | None) -> None:
    """Checks that a training overwrites no checkpoints of an earlier one in its work dir.

    resumed: the file that it continues. If that is in the work dir, a line names the later
    checkpoints there, which are overwritten.

    Raises:
        UserError: it would overwrite some.
    """
    from ..io.checkpoints import checkpoints_of

    there = checkpoints_of(work_dir)
    here = [path for path in there if resumed and path.samefile(resumed)]
    if there and not here:
        raise UserError(
            f"{work_dir} has {there[0].name} of an earlier training: "
            "continue it with --resume, or choose another --work-dir"
        )
    if here and (later := [path.name for path in there[: there.index(here[0])]]):
        said = f"from {here[0].name} on, these are overwritten: {', '.join(later)}"
        click.echo(said, err=True)


def check_launcher(launcher: str) -> None:
    """Checks that a launcher has started this process.

    Raises:
        UserError: an environment variable of the launcher is missing.
    """
    missing = [name for name in JOINED_BY.get(launcher, ()) if name not in os.environ]
    if missing:
        way = {"pytorch": "torchrun", "slurm": "srun", "mpi": "mpirun"}[launcher]
        raise UserError(f"--launcher {launcher}: {missing[0]} is not set; start it by {way}")


def check_data(cfg: Any) -> None:
    """Builds the training set, so that errors of data come first.

    Raises:
        UserError: photos are missing, or fewer than a batch.
    """
    from mmengine.registry import DATASETS

    photos = len(DATASETS.build(deepcopy(cfg.train_dataloader.dataset)))
    batch = cfg.train_dataloader.get("batch_size", 1)
    if photos < batch:
        raise ConfigError(f"train_dataloader.batch_size is {batch}, but there are {photos} photos")


def check_weights(cfg: Any) -> None:
    """Checks that the weights in `load_from` fit the model.

    Raises:
        WeightsError: they do not.
    """
    if not cfg.get("load_from"):
        return
    from mmengine.registry import MODELS

    from ..engine.runner import parts_of, resumed, weights_at
    from ..io.weights import starting_state

    path = cfg.load_from if cfg.resume else weights_at(str(cfg.load_from))
    model = MODELS.build(deepcopy(cfg.model))
    if cfg.resume:
        resumed(model, path)
    else:
        starting_state(model, path, parts_of(cfg))


def go_on(cfg: Any, seed: int | None, resume: str = "auto") -> bool:
    """Sets the config to resume from a checkpoint; False if no step is left.

    `auto` is the latest complete checkpoint in the work dir, if any. A resumed run ignores its
    `load_from` and keeps its seed.

    Raises:
        ConfigError: the seed differs, or the config changes what the checkpoint determines.
    """
    from ..engine.changes import as_text, changes, from_checkpoint
    from ..io.checkpoints import checkpoint_to_resume

    only = None if resume == "auto" else resume
    found = checkpoint_to_resume(cfg.work_dir, partial(click.echo, err=True), only)
    if found is None:
        return True
    path, meta = found
    was = meta.get("seed")
    if seed is not None and was is not None and seed != was:
        raise ConfigError(f"--seed {seed}: the run in {cfg.work_dir} has seed {was}, and keeps it")
    done, last = meta.get("iter", 0), cfg.train_cfg.get("max_iters")
    if last is not None and done >= last:
        click.echo(f"{path.name} is already at step {done} of {last}: nothing is left to do")
        return False
    differ = changes(meta["cfg"], cfg.pretty_text) if meta.get("cfg") else {}
    if fixed := {key: pair for key, pair in differ.items() if from_checkpoint(key)}:
        raise ConfigError(
            f"changed since {path.name}, whose optimizer and schedule a resumed run keeps: "
            f"{as_text(fixed)}; change it back, or begin anew with load_from={path}"
        )
    if differ:
        click.echo(f"changed since {path.name}, from here on: {as_text(differ)}", err=True)
    cfg.resume, cfg.load_from = True, str(path)
    if was is not None:
        said = (cfg.get("randomness") or {}).get("seed", was)
        if seed is None and said not in (was, None):
            click.echo(f"kept from {path.name}: seed {was}, not {said}", err=True)
        cfg.randomness = dict(cfg.get("randomness") or {}, seed=was)
    return True


@contextmanager
def alone_in(work_dir: str) -> Iterator[None]:
    """A context with a lock on the work dir, which is made if missing.

    The lock ends with the process, even if it is killed. Of several processes of one training the
    first holds it.

    Raises:
        UserError: another training holds the lock, or the folder is not writable.
    """
    from filelock import FileLock, Timeout

    from ..ops.distributed import is_first_process
    from .paths import writable_folder

    folder = writable_folder(work_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if not is_first_process():
        yield
        return
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(
            f"another training runs in {work_dir}: wait for it, or choose another --work-dir"
        ) from None
    try:
        yield
    finally:
        lock.release()
