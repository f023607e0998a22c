"""Samples on one sheet, in order, with their labels."""

import numpy as np
import torch

from l2rkit.viz.browse import chosen, samples_sheet
from l2rkit.viz.panel import TILE


def flat(grey: float, *shape: int) -> torch.Tensor:
    return torch.full((*shape, 3, 4, 4), grey)


def greys(picture) -> list:
    return np.asarray(picture)[TILE // 2 :: TILE, TILE // 2 :: TILE, 0].tolist()


def test_choices_are_different_ascending_and_repeatable():
    some = chosen(100, 10, seed=1)
    assert some == sorted(set(some)) == chosen(100, 10, seed=1) != chosen(100, 10, seed=2)
    assert chosen(3, 10, seed=0) == [0, 1, 2]


def test_targets_stand_at_the_right_of_their_inputs():
    samples = [dict(photo=flat(0.2 * i), clean=flat(1 - 0.2 * i)) for i in range(3)]
    assert greys(samples_sheet(samples, columns=2)) == [[0, 255, 51, 204], [102, 153, 255, 255]]


def test_without_targets_and_in_sets_each_photo_is_shown_once():
    samples = [dict(photo=flat(0.2)), dict(photo=flat(0.4))]
    assert greys(samples_sheet(samples, columns=2)) == [[51, 102]]
    several = [dict(photo=torch.stack([flat(0.0), flat(0.2)]))]
    assert greys(samples_sheet(several, columns=2)) == [[0, 51]]
    aimed = [dict(photo=flat(0.2, 2), clean=torch.stack([flat(0.0), flat(0.4)]))]
    assert greys(samples_sheet(aimed, columns=2)) == [[51, 0, 51, 102]]
