"""Values that change at chosen iterations, and only there."""

from types import SimpleNamespace

import pytest
from torch import nn

from l2rkit.errors import ConfigError
from l2rkit.losses import Photometric
from l2rkit.schedule import Schedule


def runner():
    model = nn.Module()
    model.losses = nn.ModuleDict(dict(photometric=Photometric(mirror=0.7)))
    return SimpleNamespace(model=model, iter=0)


def test_values_hold_from_their_iteration_on_also_after_a_resume():
    hook, run = Schedule({"losses.photometric.mirror": {10: 1.0, 20: 0.5}}), runner()
    hook.before_train(run)
    part = run.model.losses["photometric"]
    for iteration, wanted in ((0, 0.7), (9, 0.7), (10, 1.0), (19, 1.0), (20, 0.5), (99, 0.5)):
        run.iter = iteration
        hook.before_train_iter(run, iteration)
        assert part.mirror == wanted, iteration
    resumed = runner()
    resumed.iter = 15
    hook.before_train_iter(resumed, 15)
    assert resumed.model.losses["photometric"].mirror == 1.0


@pytest.mark.parametrize(
    "path", ["losses.photometric.mirrored", "losses.photometrc.mirror", "loss.x.y"]
)
def test_a_path_that_the_model_has_not_is_refused_before_training(path):
    with pytest.raises(ConfigError, match=f"the model has no '{path}'"):
        Schedule({path: {0: 1.0}}).before_train(runner())
