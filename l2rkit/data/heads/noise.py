"""Smooth noise in space, by which a person's skin looks the same in every picture."""

from functools import lru_cache

import numpy as np

from ...ops.compiled import compiled

PERIOD = 32  # lattice points after which the noise repeats; a power of two


@lru_cache(maxsize=1)
def _lattice() -> np.ndarray:
    return np.random.default_rng(20200613).uniform(-1, 1, (PERIOD,) * 3).astype(np.float32)


@compiled(nogil=True)
def _trilinear(lattice, points, scale, shift):
    out = np.empty(len(points), np.float32)
    last = len(lattice) - 1
    for p in range(len(points)):
        x = points[p, 0] * scale + shift[0]
        y = points[p, 1] * scale + shift[1]
        z = points[p, 2] * scale + shift[2]
        i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
        fx, fy, fz = x - i, y - j, z - k
        fx, fy, fz = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy), fz * fz * (3 - 2 * fz)
        total = 0.0
        for a in range(2):
            wa = fx if a else 1 - fx
            for b in range(2):
                wb = fy if b else 1 - fy
                for c in range(2):
                    wc = fz if c else 1 - fz
                    total += wa * wb * wc * lattice[(i + a) & last, (j + b) & last, (k + c) & last]
        out[p] = total
    return out


def noise(points: np.ndarray, frequency: float, shift: np.ndarray) -> np.ndarray:
    """(P,) in [-1, 1]: value noise at points (P, 3), `frequency` cells per unit.

    shift (3,): offset in cells.
    """
    return _trilinear(_lattice(), points, float(frequency), np.asarray(shift, np.float64))
