"""Collapsing trainings give warnings."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine.collapse import WON, CollapseMonitor, is_flat, is_saturated, signs_of
from l2rkit.testing import example_face


def test_flat_is_a_plane_however_it_leans():
    line = torch.linspace(-0.05, 0.05, 32)
    plane = (1 + line[None, :] + 0.5 * line[:, None]).expand(2, 1, 32, 32)
    assert is_flat(torch.ones(2, 1, 32, 32)) and is_flat(plane)
    ball = 1 - 0.05 * (1 - (line / 0.05)[None, :] ** 2) * (1 - (line / 0.05)[:, None] ** 2)
    assert not is_flat(ball.expand(2, 1, 32, 32)) and not is_flat(example_face(32, 2).depth)


def test_saturated_is_half_of_a_batch_at_the_limit():
    view_limits = torch.tensor([1, 1, 1, 0.1, 0.1, 0.0])
    view = torch.zeros(4, 6)
    assert not is_saturated(view, view_limits), "where nothing moves nothing is at its limit"
    view[:2, 1] = -0.99
    assert not is_saturated(view, view_limits)
    view[2, 1] = 0.99
    assert is_saturated(view, view_limits)


@pytest.mark.parametrize("place", ["adversary_", ""])
@pytest.mark.parametrize("gap, won", [(WON - 1, False), (WON + 1, True)])
def test_the_adversary_s_victory_is_a_gap_of_scores(place, gap, won):
    scores = {"score_real": torch.tensor(gap / 2), "score_fake": torch.tensor(-gap / 2)}
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
    hook = CollapseMonitor(interval=2, patience=3)
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
