"""What changes while training goes on."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from .errors import ConfigError


@HOOKS.register_module()
class Schedule(Hook):
    """Sets attributes of the model's parts at chosen iterations.

    Args:
        changes: from an attribute's dotted path in the model to its values by the iteration from
            which they hold, as in `{"losses.photometric.mirror": {0: 1.0, 2000: 0.5}}`.

    Values depend on the iteration alone, so that a resumed run has the same.
    """

    def __init__(self, changes: dict[str, dict[int, Any]]) -> None:
        self.changes = changes

    def before_train(self, runner: Runner) -> None:
        for path in self.changes:
            owner, name = _find(runner, path)
            if not hasattr(owner, name):
                raise ConfigError(f"Schedule: the model has no '{path}'")

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        for path, values in self.changes.items():
            begun = [start for start in values if start <= runner.iter]
            if begun:
                owner, name = _find(runner, path)
                setattr(owner, name, values[max(begun)])


def _find(runner: Runner, path: str) -> tuple[Any, str]:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    *steps, name = path.split(".")
    for step in steps:
        model = getattr(model, step, None)
    return model, name
