"""Draws that a resumed run repeats."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class StepSeed(Hook):
    """All that a step draws at random follows from the run's seed and the step's number.

    So does what a resumed run draws, whatever the unbroken one drew before; MMEngine's checkpoints
    hold no state of any generator. Batches draw from a stream of their own, which MMEngine runs
    through again from its beginning when a run is resumed.
    """

    priority = "VERY_HIGH"

    def before_train(self, runner: Runner) -> None:
        if hasattr(runner.train_loop, "dataloader_iterator"):
            batches = runner.train_loop.dataloader_iterator
            runner.train_loop.dataloader_iterator = SeededBatches(batches, runner.seed, runner.rank)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        seed_all(runner.seed, runner.rank, runner.iter)


class SeededBatches:
    """Batches that draw from generators of their own, in whatever process they are made.

    Args:
        batches: an iterator without end.
        seed: of the draws, with `rank`, the number of the process among those that train.
    """

    def __init__(self, batches: Iterator[Any], seed: int, rank: int) -> None:
        self.batches = batches
        with preserved_rng():
            seed_all(seed, rank)
            self.state = rng_states()

    def __iter__(self) -> "SeededBatches":
        return self

    def __next__(self) -> Any:
        with preserved_rng():
            set_rng_states(self.state)
            batch = next(self.batches)
            self.state = rng_states()
        return batch


def seed_all(*numbers: int) -> None:
    """From here on all that Python, NumPy and torch draw follows from the numbers."""
    first, second = np.random.SeedSequence(numbers).generate_state(2)
    random.seed(int(first))
    np.random.seed(first)
    torch.manual_seed(int(second))


def rng_states() -> tuple[Any, Any, torch.Tensor]:
    """Where the generators of Python, NumPy and torch, on the CPU, are."""
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def set_rng_states(state: tuple[Any, Any, torch.Tensor]) -> None:
    """Takes the generators back to where `rng_states` found them."""
    random.setstate(state[0])
    np.random.set_state(state[1])
    torch.set_rng_state(state[2])


@contextmanager
def preserved_rng() -> Iterator[None]:
    """What is drawn in this context does not change what is drawn after it."""
    state = rng_states()
    try:
        yield
    finally:
        set_rng_states(state)
