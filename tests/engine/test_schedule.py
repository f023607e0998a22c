"""Values that change at chosen iterations, and only there."""

from types import SimpleNamespace

import pytest
from torch import nn

from l2rkit.engine.schedule import Freeze, Schedule, Stages
from l2rkit.errors import ConfigError
from l2rkit.losses import Photometric


def runner():
    model = nn.Module()
    model.losses = nn.ModuleDict(dict(photometric=Photometric(mirror=0.7)))
    return SimpleNamespace(model=model, iter=0)


def test_values_hold_from_their_iteration_on_also_after_a_resume():
    hook, run = Schedule({"losses.photometric.mirror": {10: 1.0, 20: 0.5}}), runner()
    hook.before_train(run)
    part = run.model.losses["photometric"]
    for iteration, expected in ((0, 0.7), (9, 0.7), (10, 1.0), (19, 1.0), (20, 0.5), (99, 0.5)):
        run.iter = iteration
        hook.before_train_iter(run, iteration)
        assert part.mirror == expected, iteration
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


def three_parts():
    model = nn.Module()
    model.decompose = nn.Linear(1, 1)
    model.refine = nn.ModuleDict(dict(albedo=nn.Linear(1, 1), geometry=nn.Linear(1, 1)))
    model.refine.albedo.bias.requires_grad_(False)  # frozen for good, as a prior is
    return SimpleNamespace(model=model, iter=0)


def learning(run):
    return {name for name, weight in run.model.named_parameters() if weight.requires_grad}


ALBEDO, GEOMETRY = {"refine.albedo.weight"}, {"refine.geometry.weight", "refine.geometry.bias"}
PROXY = {"decompose.weight", "decompose.bias"}
STAGES = {0: ["refine.albedo"], 5: ["refine.geometry"], 9: ["refine.albedo", "refine.geometry"]}


@pytest.mark.parametrize("start", [0, 7])
def test_parts_learn_in_turn_also_after_a_resume(start):
    expected = [ALBEDO] * 5 + [GEOMETRY] * 4 + [ALBEDO | GEOMETRY] * 2
    run, hook = three_parts(), Stages(STAGES)
    for run.iter in range(start, 11):
        if run.iter == start:
            hook.before_train(run)
        hook.before_train_iter(run, run.iter)
        assert learning(run) == PROXY | expected[run.iter], run.iter


def test_a_part_within_one_that_learns_learns_too():
    run, hook = three_parts(), Stages({0: ["refine.albedo"], 5: ["refine"], 9: ["refine.geometry"]})
    hook.before_train(run)
    for run.iter, expected in ((0, ALBEDO), (5, ALBEDO | GEOMETRY), (9, GEOMETRY)):
        hook.before_train_iter(run, run.iter)
        assert learning(run) == PROXY | expected, run.iter


def test_stages_require_a_first_stage_and_existing_parts():
    with pytest.raises(ConfigError, match="begin at iteration 0"):
        Stages({3: ["decompose"]})
    for path in ("refine.texture", "refin.albedo", "decompose.in_features"):
        with pytest.raises(ConfigError, match=f"the model has no part '{path}'"):
            Stages({0: [path]}).before_train(three_parts())


def test_frozen_parts_do_not_learn_and_have_to_exist():
    run = three_parts()
    Freeze(["decompose", "refine.albedo"]).before_train(run)
    assert learning(run) == GEOMETRY
    with pytest.raises(ConfigError, match=r"Freeze: the model has no part 'refine\.light'"):
        Freeze(["refine.light"]).before_train(three_parts())
