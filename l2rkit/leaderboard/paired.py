"""Confidence intervals of the difference of two methods on the same images.

Efron's paired percentile bootstrap: people are resampled with replacement, each with all of his
images, and the interval is that of the mean difference. As figures are paired, images that are hard
for both methods do not widen it; as people are resampled, images that are alike do not narrow it.
"""

from functools import lru_cache

import numpy as np

DRAWS = 2000
PERCENTILES = (2.5, 97.5)


def interval(row: np.ndarray, best: np.ndarray, each: int = 1) -> tuple[float, float]:
    """The 95 % interval of the mean of `row - best`, (n,) per-image figures each; seeded.

    `each` successive images show the same person.
    """
    difference = np.asarray(row, float) - np.asarray(best, float)
    low, high = np.percentile(drawn(len(difference), each) @ difference, PERCENTILES)
    return float(low), float(high)


@lru_cache(maxsize=8)
def drawn(n: int, each: int = 1) -> np.ndarray:
    """(DRAWS, n): the weight of each image in each resample; rows sum to 1. Always the same.

    `each` successive images, fewer at the end, are drawn together.
    """
    people = -(-n // each)
    counts = np.random.default_rng(0).multinomial(people, np.full(people, 1 / people), DRAWS)
    counts = counts.repeat(each, 1)[:, :n]
    return counts / counts.sum(1, keepdims=True)
