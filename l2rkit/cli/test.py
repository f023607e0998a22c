"""`l2rkit test`: evaluates weights and writes an entry of results.json."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb
from typing import Any

import click

from .common import (
    HELP,
    OVERRIDES,
    RESTORER_OPTIONS,
    join_on_cpu,
    leave,
    load_for_runner,
    part_of_words,
    user_errors,
)
from .paths import writable_file, writable_folder
from .starting import check_launcher

# Keys that training reads and evaluation does not.
TRAINING = ("train_dataloader", "train_cfg", "val_dataloader", "val_cfg", "val_evaluator")
TRAINING += ("optim_wrapper", "param_scheduler", "auto_scale_lr", "default_hooks.checkpoint")
TRAINING += ("model.losses", "load_from", "log_level")


@click.command(
    context_settings=HELP, short_help="Evaluates shipped or own weights; writes results."
)
@click.argument("config", type=click.Path())
@click.argument("weights", type=click.Path(), required=False)
@click.option(
    "--protocol",
    help="Name of a file in configs/_base_/protocols, such as cross_view, or a file of your own.",
)
@click.option("--level", default="clean", help="Degradation of photos: clean, x4, mild or severe.")
@click.option("--restore", help="Registered name of a restorer that is applied first.")
@RESTORER_OPTIONS
@click.option(
    "--keep", metavar="FOLDER", help="Cache of restored photos, for other methods after it."
)
@click.option("--work-dir", help="Folder of results and logs.  [default: work_dirs/<config>]")
@click.option("--results", help="File for the entry.  [default: results.json in work dir]")
@click.option(
    "--show-dir", metavar="FOLDER", help="Draw a panel of each photo and its face in this folder."
)
@click.option("--launcher", type=click.Choice(["none", "pytorch", "slurm", "mpi"]), default="none")
@click.option("--dry-run", is_flag=True, help="Print the figures and write no entry.")
@OVERRIDES
@user_errors
def test(
    config: str,
    weights: str | None,
    protocol: str | None,
    level: str,
    restore: str | None,
    restorer_options: dict[str, Any],
    keep: str | None,
    work_dir: str | None,
    results: str | None,
    show_dir: str | None,
    launcher: str,
    dry_run: bool,
    cfg_options: dict[str, Any],
) -> None:
    """Evaluates WEIGHTS, by default the shipped ones, on CONFIG's test set.

    Restorers alone and priors in PriorSampler load their own weights. Prints the metrics and writes
    them to results.json, in place of an older entry for the same config, weights and data;
    per-image figures go into results.npz beside it. Wrong WEIGHTS or output paths are reported
    before the evaluation.
    """
    cfg = load_for_runner(config, cfg_options, launcher, protocol, TRAINING)
    check_launcher(launcher)
    from mmengine.dist import is_main_process
    from mmengine.model import is_model_wrapper
    from mmengine.runner import Runner

    from ..engine.runner import check_batches
    from ..errors import ConfigError
    from ..io.weights import load_weights, own_state
    from ..leaderboard.results import enter, entry
    from ..leaderboard.supervision import supervision_of
    from ..model import FaceReconstructor
    from ..registry import RESTORERS, check_arguments
    from ..restore.cached import CachedRestorer
    from ..viz.hook import ShownPanels
    from ..zoo import shipped_weights, weight_file

    if "test_dataloader" not in cfg:
        raise ConfigError(f"{config} has no test_dataloader: nothing to measure on")
    if not isinstance(cfg.get("model"), dict):
        raise ConfigError(f"{config} has no model: nothing to measure")
    for_keeping = "--keep is for a 3D method behind a restorer, named with --restore"
    if keep and not restore:
        raise ConfigError(for_keeping)
    cfg.work_dir = work_dir or cfg.get("work_dir") or f"work_dirs/{Path(config).stem}"
    where = None if dry_run else results_file(results or Path(cfg.work_dir, "results.json"))
    writable_folder(cfg.work_dir)
    for folder in filter(None, (keep, show_dir)):
        writable_folder(folder)
    cfg.log_level = "WARNING"  # without the long log at start
    cfg.custom_hooks = [*cfg.get("custom_hooks", []), dict(type="l2rkit.viz.Progress")]
    if level != "clean":
        degrade(cfg, level)
    if restore:
        # errors come before anything is built
        check_arguments(RESTORERS.find(restore), restorer_options)
        part_of_words(RESTORERS, dict(restorer_options, type=restore))
        cfg.model.restore = dict(restorer_options, type=restore)
    elif restorer_options:
        raise ConfigError("--restorer-options are for a restorer: name it with --restore")
    supervision = "" if dry_run else supervision_of(cfg)  # of losses and load_from, too
    cfg.model.pop("losses", None)
    # MMEngine would load these over the weights
    cfg.load_from, cfg.resume = None, False
    join_on_cpu(launcher)
    runner = Runner.from_cfg(cfg)
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if show_dir:
        if not isinstance(model, FaceReconstructor) or model.render is None:
            raise ConfigError("--show-dir draws rendered faces, which this model has not")
        runner.register_hook(ShownPanels(show_dir))
    if keep:
        if not isinstance(model, FaceReconstructor):
            raise ConfigError(for_keeping)
        model.restore = CachedRestorer(model.restore, str(cfg.model.restore), keep)
    path = None
    if weights or own_state(model):
        path = weight_file(weights) if weights else shipped_weights(config)
        load_weights(model, path)
    check_batches(runner.test_dataloader)
    with missing_entries():
        figures = runner.test()
    first = is_main_process()
    leave()
    if not first:
        return
    dataset = runner.test_dataloader.dataset
    each = getattr(dataset, "photos_per_person", 1)
    made = entry(cfg, config, path, figures, len(dataset), cfg_options, supervision, each)
    for name, value in made["metrics"].items():
        spread = f" ± {value['std']:.3f}" if "std" in value else ""
        click.echo(f"{name:16} {value['mean']:8.3f}{spread}")
    if where is not None:
        before = enter(made, where, each_image(runner.test_loop.evaluator.metrics))
        instead = ""
        if before is not None and before.get("command") != made["command"]:
            instead = f", in place of that of `{before.get('command')}`"
        click.echo(f"entered in {where}{instead}")


@contextmanager
def missing_entries() -> Iterator[None]:
    """Raises a ConfigError for an entry of batches that a metric of l2rkit requires in vain."""
    from ..errors import ConfigError

    try:
        yield
    except KeyError as error:
        *_, (frame, _) = walk_tb(error.__traceback__)
        if not frame.f_globals["__name__"].startswith("l2rkit.metrics."):
            raise
        metric = type(frame.f_locals.get("self")).__name__
        raise ConfigError(
            f"{metric} requires {error} of each photo: see fields and pipeline of the test set"
        ) from None


def results_file(path: str | Path) -> Path:
    """The path for the entry.

    Raises:
        UserError: it cannot be written, or is a file without entries.
    """
    from ..leaderboard.results import read_entries

    where = writable_file(path)
    if where.exists():
        read_entries(where)
    return where


def each_image(metrics: Iterable[Any]) -> dict[str, Sequence[float]]:
    """{metric: per-image figures} of the metrics that have them."""
    return {k: v for metric in metrics for k, v in getattr(metric, "each", {}).items()}


def degrade(cfg: Any, level: str) -> None:
    """Sets the config to degrade its test photos at a level, with fixed random draws.

    Raises:
        UserError: the level is unknown, or the test set has no pipeline.
    """
    from ..degrade import DegradationLevel
    from ..errors import ConfigError

    DegradationLevel(level)  # errors come before anything is built
    cfg.level = level
    # by name, as MMEngine cannot dump classes that were put into a loaded config
    described = dict(type="l2rkit.degrade.DegradationLevel", name=level)
    bad = dict(type="l2rkit.data.Degrade", degradation=described, seed=0)
    if not (steps := cfg.test_dataloader.dataset.get("pipeline")):
        raise ConfigError("--level needs a pipeline of the test set, and the config states none")
    *before, pack = steps
    cfg.test_dataloader.dataset.pipeline = [*before, bad, pack]
