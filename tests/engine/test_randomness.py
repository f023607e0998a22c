"""Random draws that a resumed run repeats."""

import random
from itertools import islice

import numpy as np
import torch
from torch.utils.data import DataLoader

from l2rkit.engine.randomness import SeededBatches, rng_states, seed_all


def drawn() -> tuple[float, ...]:
    return random.random(), np.random.random(), torch.rand(()).item()


class Draws:
    """A data set whose samples are drawn from all three generators."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.tensor([index, *drawn()])


def endless(loader):
    while True:
        yield from loader


def test_batches_do_not_care_what_else_draws():
    def batches(seed: int, disturb: bool) -> torch.Tensor:
        found = []
        for batch in islice(SeededBatches(endless(DataLoader(Draws(), 2)), seed, 0), 6):
            found.append(batch)
            if disturb:
                drawn()
        return torch.cat(found)

    seed_all(1)
    quiet, before = batches(0, False), rng_states()
    seed_all(2)
    assert torch.equal(batches(0, True), quiet)
    assert not torch.equal(batches(1, True), quiet)
    seed_all(1)
    assert rng_states()[0] == before[0] and torch.equal(rng_states()[2], before[2])
    assert len(quiet[:, 1:].unique()) == quiet[:, 1:].numel(), "no batch repeats another"


def test_a_step_draws_by_its_number_and_process():
    found = []
    for numbers in [(0, 0, 5), (0, 0, 5), (0, 0, 6), (0, 1, 5), (1, 0, 5)]:
        seed_all(*numbers)
        found.append(drawn())
    assert found[0] == found[1] and len(set(found)) == 4
    assert len({value for draws in found for value in draws}) == 12
