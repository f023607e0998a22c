"""Watch-dogs: what is not finite changes nothing, and collapses are told of."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import nn
from torch.optim import Adam

from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.errors import UserError
from l2rkit.testing import example_face
from l2rkit.watch import WON, Collapse, FiniteSteps, finite, is_flat, is_saturated, signs_of


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


def wrapped(part: nn.Module) -> OptimWrapper:
    return OptimWrapper(Adam(part.parameters(), 0.1), clip_grad=dict(max_norm=1.0))


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
    hook, good = FiniteSteps(), torch.ones(3, 2)
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
    hook = FiniteSteps()
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


def test_a_finite_step_is_the_same_with_the_dog_and_without(runner):
    alone = SimpleNamespace(model=Learner())
    kind = "two" if isinstance(runner.optim_wrapper, OptimWrapperDict) else "one"
    alone.optim_wrapper = OPTIMIZERS[kind](alone.model)
    hook = FiniteSteps()
    hook.before_train(runner)
    for _ in range(3):
        step(runner, hook, torch.ones(3, 2))
        alone.model.train_step(torch.ones(3, 2), alone.optim_wrapper)
    assert all(torch.equal(value, state(alone)[name]) for name, value in state(runner).items())


def test_too_many_in_a_row_end_the_run_with_the_batch_kept(runner, tmp_path):
    hook, bad = FiniteSteps(patience=3), torch.full((3, 2), torch.nan)
    hook.before_train(runner)
    for photo in (bad, bad, torch.ones(3, 2), bad, bad):
        step(runner, hook, photo)
    with pytest.raises(
        UserError, match=r"^3 steps in a row .* last one 5: .*bad_batch_5\.pth"
    ) as e:
        step(runner, hook, bad)
    assert "\n" not in str(e.value)
    assert torch.load(tmp_path / "bad_batch_5.pth", weights_only=True).isnan().all()
    assert runner.message_hub.get_info("skipped_steps") == 5
    resumed = FiniteSteps()
    resumed.before_train(runner)
    assert resumed.skipped == 5, "the count goes on"


def test_finite_is_what_a_loop_over_all_numbers_says():
    good, bad = torch.ones(4, 5), torch.ones(4, 5)
    for value in (torch.nan, torch.inf, -torch.inf):
        bad[2, 3] = value
        assert not finite([good, bad]) and not finite([bad]) and not finite([bad, -bad])
    assert finite([good, 1e30 * good, torch.zeros(())])


def test_flat_is_a_plane_however_it_leans():
    line = torch.linspace(-0.05, 0.05, 32)
    plane = (1 + line[None, :] + 0.5 * line[:, None]).expand(2, 1, 32, 32)
    assert is_flat(torch.ones(2, 1, 32, 32)) and is_flat(plane)
    ball = 1 - 0.05 * (1 - (line / 0.05)[None, :] ** 2) * (1 - (line / 0.05)[:, None] ** 2)
    assert not is_flat(ball.expand(2, 1, 32, 32)) and not is_flat(example_face(32, 2).depth)


def test_saturated_is_half_of_a_batch_at_the_limit():
    reach = torch.tensor([1, 1, 1, 0.1, 0.1, 0.0])
    view = torch.zeros(4, 6)
    assert not is_saturated(view, reach), "where nothing moves nothing is at its limit"
    view[:2, 1] = -0.99
    assert not is_saturated(view, reach)
    view[2, 1] = 0.99
    assert is_saturated(view, reach)


@pytest.mark.parametrize("place", ["adversary_", ""])
@pytest.mark.parametrize("gap, won", [(WON - 1, False), (WON + 1, True)])
def test_the_adversary_s_victory_is_a_gap_of_scores(place, gap, won):
    scores = {"score_photo": torch.tensor(gap / 2), "score_made": torch.tensor(-gap / 2)}
    signs = signs_of(None, None, {place + name: value for name, value in scores.items()})
    assert [(text.split(";")[0], is_so) for text, is_so in signs.items()] == [
        ("the adversary has won", won)
    ]


def test_a_collapse_is_said_once_after_some_looks():
    said = []
    model = nn.Module()
    model.decompose = Unsup3DDecomposer(32, width=4, encoder_width=4)
    flat = example_face(32, 2)
    model.decompose.forward = lambda photo: type(flat)(
        torch.ones_like(flat.depth), flat.albedo, flat.light, flat.view
    )
    runner = SimpleNamespace(model=model, iter=0, logger=SimpleNamespace(warning=said.append))
    hook = Collapse(interval=2, patience=3)
    hook.before_train(runner)
    looks = 0
    for runner.iter in range(12):
        hook.before_train_iter(runner, runner.iter)
        looks += bool(model.decompose._forward_hooks)
        model.decompose(None)
        hook.after_train_iter(runner, runner.iter, outputs={})
        assert not model.decompose._forward_hooks
    assert looks == 6 and len(said) == 1
    assert said[0].startswith("collapse at step 6: depth is flat; ")
