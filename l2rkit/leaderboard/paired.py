"""Confidence intervals of the difference of two methods on the same images.

Efron's paired percentile bootstrap: images are resampled with replacement, and the interval is that
of the difference of the means. As figures are paired, images that are hard for both do not widen
it.
"""

from functools import lru_cache

import numpy as np

DRAWS = 2000
PERCENTILES = (2.5, 97.5)


def interval(row: np.ndarray, best: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of `row - best`, (n,) per-image figures each; seeded."""
    difference = np.asarray(row, float) - np.asarray(best, float)
    low, high = np.percentile(drawn(len(difference)) @ difference, PERCENTILES)
    return float(low), float(high)


@lru_cache(maxsize=8)
def drawn(n: int) -> np.ndarray:
    """(DRAWS, n): the weight of each image in each resample; rows sum to 1. Always the same."""
    counts = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), DRAWS)
    return counts / n
