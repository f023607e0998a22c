"""The losses of a step draw different numbers from one seeded generator."""

import pytest
import torch
from scenes import perfect_scene

from l2rkit.adversary import another
from l2rkit.engine.randomness import seed_all
from l2rkit.losses import CycleConsistency, ShiftEquivariance
from l2rkit.render import GridRenderer
from l2rkit.structures import Face, Scene, each_tensor

COUNT = 32


@pytest.fixture
def drawn(monkeypatch):
    """The permutations that torch has drawn."""
    found, draw = [], torch.randperm

    def noted(count: int) -> torch.Tensor:
        found.append(draw(count))
        return found[-1]

    monkeypatch.setattr(torch, "randperm", noted)
    return found


def scene() -> Scene:
    seen = perfect_scene(16, COUNT)

    def look(photo: torch.Tensor) -> Face:
        return each_tensor(seen.face, lambda tensor: tensor[: len(photo)])

    return Scene(seen.target, seen.face, seen.rendering, None, GridRenderer(), look)


def test_losses_of_a_step_take_other_parts_of_the_batch(drawn) -> None:
    seen = scene()
    for step in (4, 4, 5):
        seed_all(0, 0, step)
        another(seen)
        CycleConsistency(share=1.0)(seen)
        ShiftEquivariance(share=1.0)(seen)
    once, again, later = drawn[:6], drawn[6:12], drawn[12:]
    assert len(later) == 6  # one of the adversary, four of the cycle, one of the shift
    assert len({tuple(order.tolist()) for order in once + later}) == 12
    assert all(map(torch.equal, once, again))


def test_a_photo_in_any_memory_layout_can_be_drawn_for() -> None:
    seen = scene()
    strided = seen.target.repeat(1, 1, 1, 2)[..., ::2]
    assert not strided.is_contiguous()
    turned = Scene(strided, seen.face, seen.rendering, None, seen.render, seen.reconstruct)
    assert CycleConsistency()(turned).isfinite() and ShiftEquivariance()(turned).isfinite()
