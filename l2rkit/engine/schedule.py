"""Schedules of attributes and of trainable parts."""

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from ..errors import ConfigError


@HOOKS.register_module()
class Schedule(Hook):
    """Sets attributes of the model's parts at chosen iterations.

    Args:
        changes: for each dotted path of an attribute in the model, its values by the iteration
            from which they hold, as in `{"losses.photometric.mirror": {0: 1.0, 2000: 0.5}}`.

    Values depend on the iteration only, so a resumed run has the same.
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


@HOOKS.register_module()
class Stages(Hook):
    """Trains parts of the model in stages.

    Args:
        stages: for each starting iteration, the dotted paths of the parts that are trained:
            `{0: ["refine.albedo"], 1000: ["refine.geometry"]}`. Parts that no stage names are not
            affected.

    Stages depend on the iteration only, so a resumed run has the same.
    """

    def __init__(self, stages: dict[int, Sequence[str]]) -> None:
        if 0 not in stages:
            raise ConfigError("Stages: a stage has to begin at iteration 0")
        self.stages = stages
        self.staged = sorted({part for parts in stages.values() for part in parts})

    def before_train(self, runner: Runner) -> None:
        self.weights = {path: _trainable(runner, path, "Stages") for path in self.staged}
        self._set(runner)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter in self.stages:
            self._set(runner)

    def _set(self, runner: Runner) -> None:
        learning = self.stages[max(start for start in self.stages if start <= runner.iter)]
        for learns in (False, True):  # a part that learns may contain one of another stage
            for path, weights in self.weights.items():
                for weight in weights if (path in learning) == learns else ():
                    weight.requires_grad_(learns)


@HOOKS.register_module()
class Freeze(Hook):
    """Keeps parts of the model as they are, without the cost of their gradients.

    Args:
        parts: their dotted paths, as in `["decompose.depth"]`.
    """

    def __init__(self, parts: Sequence[str]) -> None:
        self.parts = parts

    def before_train(self, runner: Runner) -> None:
        for path in self.parts:
            for weight in _trainable(runner, path, "Freeze"):
                weight.requires_grad_(False)


def _trainable(runner: Runner, path: str, hook: str) -> list[nn.Parameter]:
    """The weights of a part that are not permanently frozen."""
    owner, name = _find(runner, path)
    part = getattr(owner, name, None)
    if not isinstance(part, nn.Module):
        raise ConfigError(f"{hook}: the model has no part '{path}'")
    return [weight for weight in part.parameters() if weight.requires_grad]


def _find(runner: Runner, path: str) -> tuple[Any, str]:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    *steps, name = path.split(".")
    for step in steps:
        model = getattr(model, step, None)
    return model, name
