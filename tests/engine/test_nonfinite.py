"""Non-finite steps change nothing."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn
from torch.optim import Adam

from l2rkit.engine.distributed import finite
from l2rkit.engine.nonfinite import SkipNonFiniteSteps
from l2rkit.engine.optim_wrapper import GuardedOptimWrapper
from l2rkit.errors import ConfigError, UserError


class Learner(nn.Module):
    """Two parts with an optimizer each, and a buffer that remembers all it sees."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.one, self.other = nn.Linear(2, 1), nn.Linear(2, 1)
        self.register_buffer("mean", torch.zeros(()))

    def train_step(self, photo, optim_wrapper) -> dict:
        self.mean.lerp_(photo.mean(), 0.5)
        if not isinstance(optim_wrapper, OptimWrapperDict):
            optim_wrapper.update_params(self.one(photo).square().mean())
            return {}
        for name in ("one", "other"):
            optim_wrapper[name].update_params(getattr(self, name)(photo).square().mean())
        return {}


def wrapped(part: nn.Module, kind: type = GuardedOptimWrapper) -> OptimWrapper:
    return kind(Adam(part.parameters(), 0.1), clip_grad=dict(max_norm=1.0))


OPTIMIZERS = {
    "one": lambda model: wrapped(model.one),
    "two": lambda model: OptimWrapperDict(one=wrapped(model.one), other=wrapped(model.other)),
}


@pytest.fixture(params=OPTIMIZERS)
def runner(request, tmp_path):
    model = Learner()
    hub = MessageHub.get_instance(f"{request.node.name}")
    optimizers = OPTIMIZERS[request.param](model)
    return SimpleNamespace(
        model=model, optim_wrapper=optimizers, message_hub=hub, iter=0, work_dir=str(tmp_path)
    )


def step(runner, hook, photo) -> None:
    hook.before_train_iter(runner, runner.iter, photo)
    runner.model.train_step(photo, runner.optim_wrapper)
    hook.after_train_iter(runner, runner.iter, photo, {})
    runner.iter += 1


def state(runner) -> dict:
    return {name: value.clone() for name, value in runner.model.state_dict().items()}


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_poisoned_batch_changes_nothing_and_later_ones_do(runner, poison):
    hook, good = SkipNonFiniteSteps(), torch.ones(3, 2)
    hook.before_train(runner)
    step(runner, hook, good)
    before = state(runner)
    moments = [str(each.state_dict()) for each in optimizers(runner)]
    step(runner, hook, torch.full((3, 2), poison))
    assert all(torch.equal(before[name], value) for name, value in state(runner).items())
    assert moments == [str(each.state_dict()) for each in optimizers(runner)]
    assert runner.message_hub.get_scalar("train/skipped_steps").current() == 1
    step(runner, hook, good)
    assert not torch.equal(before["one.weight"], runner.model.one.weight)
    assert all(value.isfinite().all() for value in state(runner).values())
    assert (hook.skipped, hook.in_a_row) == (1, 0)


def optimizers(runner) -> list:
    wrapper = runner.optim_wrapper
    several = wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]
    return [each.optimizer for each in several]


def test_gradients_alone_can_be_bad(runner):
    """The root's slope at 0 is infinite, and 0 times that is none: the loss itself is 0."""
    hook = SkipNonFiniteSteps()
    hook.before_train(runner)
    before = state(runner)
    hook.before_train_iter(runner, 0)
    wrapper = runner.optim_wrapper
    wrapper = wrapper["one"] if isinstance(wrapper, OptimWrapperDict) else wrapper
    loss = (runner.model.one.weight * 0).sum().sqrt()
    assert loss == 0
    wrapper.update_params(loss)
    hook.after_train_iter(runner, 0)
    assert hook.skipped == 1 and torch.equal(before["one.weight"], runner.model.one.weight)


def test_a_wrapper_that_cannot_skip_is_refused_in_one_line(runner):
    runner.optim_wrapper = wrapped(runner.model.one, OptimWrapper)
    with pytest.raises(ConfigError, match=r"type is OptimWrapper, which .* GuardedOptimWrapper of"):
        SkipNonFiniteSteps().before_train(runner)


def test_a_finite_step_is_the_same_as_by_a_plain_wrapper(runner):
    alone = SimpleNamespace(model=Learner())
    parts = [alone.model.one, alone.model.other]
    one, other = (wrapped(part, OptimWrapper) for part in parts)
    both = isinstance(runner.optim_wrapper, OptimWrapperDict)
    alone.optim_wrapper = OptimWrapperDict(one=one, other=other) if both else one
    hook = SkipNonFiniteSteps()
    hook.before_train(runner)
    for _ in range(3):
        step(runner, hook, torch.ones(3, 2))
        alone.model.train_step(torch.ones(3, 2), alone.optim_wrapper)
    assert all(torch.equal(value, state(alone)[name]) for name, value in state(runner).items())


def test_a_part_never_sees_a_batch_that_is_not_finite(runner):
    """Some cannot bear it: they look for landmarks, or solve equations."""
    hook, seen = SkipNonFiniteSteps(), []
    hook.before_train(runner)
    runner.model.register_forward_pre_hook(lambda *args: pytest.fail("not called by train_step"))
    runner.model.one.register_forward_pre_hook(lambda part, given: seen.append(given[0].clone()))
    batch = torch.ones(3, 2)
    batch[1, 1] = torch.inf
    before = state(runner)
    step(runner, hook, batch)
    assert seen[0].tolist() == [[1, 1], [1, 0], [1, 1]] and hook.skipped == 1
    assert torch.equal(before["one.weight"], runner.model.one.weight)


def test_of_accumulated_batches_each_has_to_be_finite(runner):
    """Before, only that of the step itself was looked at."""
    several = isinstance(runner.optim_wrapper, OptimWrapperDict)
    for wrapper in runner.optim_wrapper.values() if several else [runner.optim_wrapper]:
        wrapper._accumulative_counts = 2
        wrapper.initialize_count_status(runner.model, 0, 8)
    hook, good = SkipNonFiniteSteps(), torch.ones(3, 2)
    hook.before_train(runner)
    before = state(runner)["one.weight"]
    step(runner, hook, torch.full((3, 2), torch.nan))
    step(runner, hook, good)
    assert hook.skipped == 1 and torch.equal(before, runner.model.one.weight)
    for _ in range(2):
        step(runner, hook, good)
    assert hook.skipped == 1 and not torch.equal(before, runner.model.one.weight)
    mean = runner.model.mean.clone()  # of before the step, not of its last batch
    step(runner, hook, torch.full((3, 2), 3e38))
    step(runner, hook, torch.full((3, 2), torch.nan))
    assert hook.skipped == 2 and torch.equal(runner.model.mean, mean)
    hook.patience = 2
    step(runner, hook, torch.full((3, 2), torch.nan))
    with pytest.raises(UserError, match="2 steps in a row had photos that are not finite"):
        step(runner, hook, good)


def test_too_many_in_a_row_end_the_run_with_the_batch_kept(runner, tmp_path):
    hook, bad = SkipNonFiniteSteps(patience=3), torch.full((3, 2), torch.nan)
    hook.before_train(runner)
    for photo in (bad, bad, torch.ones(3, 2), bad, bad):
        step(runner, hook, photo.clone())
    with pytest.raises(
        UserError, match=r"^3 steps in a row had photos .* last one 5: .*bad_batch_5\.pth"
    ) as e:
        step(runner, hook, bad)
    assert "\n" not in str(e.value)
    assert torch.load(tmp_path / "bad_batch_5.pth", weights_only=True).isnan().all()
    assert runner.message_hub.get_info("skipped_steps") == 5
    resumed = SkipNonFiniteSteps()
    resumed.before_train(runner)
    assert resumed.skipped == 5, "the count goes on"


def test_finite_is_what_a_loop_over_all_numbers_says():
    good, bad = torch.ones(4, 5), torch.ones(4, 5)
    for value in (torch.nan, torch.inf, -torch.inf):
        bad[2, 3] = value
        assert not finite([good, bad]) and not finite([bad]) and not finite([bad, -bad])
    assert finite([good, 1e30 * good, torch.zeros(())])
