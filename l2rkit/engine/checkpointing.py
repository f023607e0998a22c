"""Checkpoints of which one is whole at any moment."""

from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..io import atomic, checkpoints  # noqa: F401  # both register themselves with MMEngine
from .changes import told


@HOOKS.register_module()
class AtomicCheckpoint(CheckpointHook):
    """MMEngine's checkpoints, one of which is whole at any moment.

    A file is written beside its place, forced to the disk and renamed; MMEngine writes it in place.
    Older ones go only after it; with `max_keep_ckpts=1` MMEngine has none in between.
    """

    def before_train(self, runner: Runner) -> None:
        self.backend_args = dict(backend="AtomicBackend")
        super().before_train(runner)
        if is_main_process():
            for torn in Path(self.out_dir).glob("*.part"):  # of a run that was killed
                torn.unlink()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        checkpoint["meta"]["made_by"] = made_by(runner)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        was = checkpoint.get("meta", {}).get("made_by")
        if was and was != (now := made_by(runner)):
            found = {key: (was.get(key), value) for key, value in now.items()}
            differ = {key: pair for key, pair in found.items() if pair[0] != pair[1]}
            runner.logger.warning(f"no more the same run, from here on: {told(differ)}")

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        with self.file_backend.removing_last():
            super()._save_checkpoint_with_step(runner, step, meta)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        with self.file_backend.removing_last():
            super()._save_best_checkpoint(runner, metrics)


def made_by(runner: Runner) -> dict[str, int]:
    """What a run's bits depend on beside its config: how many processes and photos it has."""
    return {"processes": runner.world_size, "photos": len(runner.train_dataloader.dataset)}
