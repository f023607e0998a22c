"""Random numbers that a resumed run repeats."""

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
    """Seeds all generators at each step by the run's seed and the step's number.

    So a resumed run draws the same numbers, although MMEngine's checkpoints hold no states of
    generators. Batches have their own stream, which MMEngine replays from its start on resume.
    """

    priority = "VERY_HIGH"

    def before_train(self, runner: Runner) -> None:
        if hasattr(runner.train_loop, "dataloader_iterator"):
            batches = runner.train_loop.dataloader_iterator
            runner.train_loop.dataloader_iterator = SeededBatches(batches, runner.seed, runner.rank)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        seed_all(runner.seed, runner.rank, runner.iter)


class SeededBatches:
    """Batches with their own random generators, in any process.

    Args:
        batches: an infinite iterator.
        seed, rank: seed of the generators, and the number of the training process.
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
    """Seeds the generators of Python, NumPy and torch."""
    first, second = np.random.SeedSequence(numbers).generate_state(2)
    random.seed(int(first))
    np.random.seed(first)
    torch.manual_seed(int(second))


def rng_states() -> tuple[Any, Any, torch.Tensor]:
    """The states of the generators of Python, NumPy and torch on the CPU."""
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def set_rng_states(state: tuple[Any, Any, torch.Tensor]) -> None:
    """Restores states from `rng_states`."""
    random.setstate(state[0])
    np.random.set_state(state[1])
    torch.set_rng_state(state[2])


@contextmanager
def preserved_rng() -> Iterator[None]:
    """A context that restores the states of all generators at its end."""
    state = rng_states()
    try:
        yield
    finally:
        set_rng_states(state)
