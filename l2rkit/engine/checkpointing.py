"""Atomic checkpoints: a complete one exists at any time."""

from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..io import atomic, checkpoints  # noqa: F401  # both register themselves with MMEngine
from .changes import as_text


@HOOKS.register_module()
class AtomicCheckpoint(CheckpointHook):
    """Saves MMEngine's checkpoints so that a complete one exists at any time.

    A file is written under another name, synced to disk and renamed; MMEngine writes in place.
    Older ones are removed afterwards; with `max_keep_ckpts=1` MMEngine removes them before.
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
            runner.logger.warning(f"no more the same run, from here on: {as_text(differ)}")

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        with self.file_backend.removing_last():
            super()._save_checkpoint_with_step(runner, step, meta)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        with self.file_backend.removing_last():
            super()._save_best_checkpoint(runner, metrics)


def made_by(runner: Runner) -> dict[str, int]:
    """What a run's result depends on besides its config: numbers of processes and photos."""
    return {"processes": runner.world_size, "photos": len(runner.train_dataloader.dataset)}
