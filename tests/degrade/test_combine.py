"""Parts in order, in random order, with a probability, and one of several."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
import torch
from pictures import both, picture

from l2rkit.degrade import Compose, Degradation, Greyscale, RandomApply, RandomChoice, RandomOrder
from l2rkit.degrade.degradation import rng_of
from l2rkit.registry import DEGRADATIONS

GREY = torch.full((300, 3, 4, 4), 0.5)


class Times(Degradation):
    """Multiplies, so that chains can be read off the result."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def degrade(self, photo, drawn):
        return photo * self.factor

    def degrade_image(self, image, drawn):
        return image * np.float32(self.factor)


class Squared(Degradation):
    """Does not commute with Times."""

    def degrade(self, photo, drawn):
        return photo**2

    def degrade_image(self, image, drawn):
        return image**2


def values(part):
    """How many of 300 grey photos got which value, as torch has it."""
    degraded = part(GREY, torch.Generator().manual_seed(0))
    assert (degraded.amin((1, 2, 3)) == degraded.amax((1, 2, 3))).all()
    return Counter(round(v, 6) for v in degraded[:, 0, 0, 0].tolist())


def test_a_chain_goes_in_turn_and_chains_nest():
    assert values(Compose([Times(0.5), Squared()])) == {0.0625: 300}
    assert values(Compose([Squared(), Times(0.5)])) == {0.125: 300}
    second_order = Compose([Compose([Squared(), Times(0.5)])] * 2)
    assert values(second_order) == {round(0.125**2 / 2, 6): 300}
    assert values(Compose([])) == {0.5: 300}


def test_random_order_uses_all_orders_evenly():
    parts = [Times(0.5), Squared(), Times(0.25)]
    drawn = [tuple(RandomOrder(parts).draw(rng_of(i), 4, 4)["order"]) for i in range(600)]
    counts = Counter(drawn)
    assert set(counts) == set(permutations(range(3))) and min(counts.values()) > 60
    found = values(RandomOrder(parts))
    expected = {round(v, 6) for v in (0.5**2 / 8, (0.5 / 2) ** 2 / 4, 0.125**2 / 2, (0.5 / 8) ** 2)}
    assert set(found) == expected


def test_maybe_never_always_and_sometimes():
    assert values(RandomApply(0, Times(0.5))) == {0.5: 300}
    assert values(RandomApply(1, Times(0.5))) == {0.25: 300}
    assert 60 < values(RandomApply(0.3, Times(0.5)))[0.25] < 120
    image = picture(8, 8)
    assert np.array_equal(RandomApply(0, Greyscale()).on_image(image, rng_of(0)), image)


def test_one_of_has_its_weights():
    assert values(RandomChoice([Times(0.5), Times(0.25)], weights=[0, 1])) == {0.125: 300}
    found = values(RandomChoice([Times(0.5), Times(0.25), Squared()], weights=[2, 1, 0]))
    assert set(found) == {0.25, 0.125} and 170 < found[0.25] < 230
    even = Counter(
        RandomChoice([Squared()] * 4).draw(rng_of(i), 4, 4)["number"] for i in range(800)
    )
    assert set(even) == {0, 1, 2, 3} and min(even.values()) > 150


@pytest.mark.parametrize(
    "part",
    [
        RandomOrder([Times(0.5), Squared(), Greyscale()]),
        RandomChoice([Times(0.5), Squared()]),
        RandomApply(0.5, Compose([Times(0.5), Squared()])),
    ],
)
def test_opencv_follows_the_same_draw(part):
    for seed in range(12):
        by_opencv, by_torch = both(part, picture(8, 8), seed)
        np.testing.assert_allclose(by_opencv, by_torch, atol=1e-6)


def test_parts_are_built_from_dicts():
    part = DEGRADATIONS.build(
        dict(type=Compose, parts=[dict(type=RandomApply, probability=1, part=dict(type=Greyscale))])
    )
    assert isinstance(part.parts[0].part, Greyscale)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: RandomApply(1.5, Squared()),
            r"RandomApply: probability .* within 0\.\.1, not 1\.5",
        ),
        (lambda: RandomChoice([]), "RandomChoice expects at least one part"),
        (
            lambda: RandomChoice([Squared()], weights=[1, 2]),
            "RandomChoice expects 1 weights .* got",
        ),
        (lambda: RandomChoice([Squared()], weights=[-1]), "from 0 on"),
        (lambda: RandomChoice([Squared(), Squared()], weights=[0, 0]), "not all 0"),
        (lambda: Compose(Squared()), "Compose expects a list of parts, not one Squared"),
        (lambda: Compose([torch.nn.Identity()]), "Compose expects degradations, not a Identity"),
        (
            lambda: Compose([dict(type="Jpg")]),
            "no degradation is called 'Jpg': did you mean 'Jpeg'",
        ),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
