"""Whether one method is better than another on the same images, or by chance. Ours.

Images are drawn anew, with replacement, as many as there are; what the two methods' means differ by
in such draws is how sure the difference is (Efron's percentile bootstrap). Figures stay paired, so
what makes an image hard for both does not count.
"""

from functools import lru_cache

import numpy as np

DRAWS = 2000
PERCENTILES = (2.5, 97.5)


def interval(row: np.ndarray, best: np.ndarray) -> tuple[float, float]:
    """Ends of the 95 % interval of the mean of `row - best`, each (n,) by image, seeded."""
    difference = np.asarray(row, float) - np.asarray(best, float)
    low, high = np.percentile(drawn(len(difference)) @ difference, PERCENTILES)
    return float(low), float(high)


@lru_cache(maxsize=8)
def drawn(n: int) -> np.ndarray:
    """(DRAWS, n): what each of `n` images counts in each draw; rows sum to 1. Equal every time."""
    counts = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), DRAWS)
    return counts / n
