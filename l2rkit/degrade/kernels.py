"""Blur kernels: (2 radius + 1, 2 radius + 1) float64, of sum 1.

The bell shapes are those of Real-ESRGAN (Wang et al., ICCV Workshops 2021, section 3.1), the
circular sinc is that of its section 3.3.
"""

import math

import numpy as np
import torch

LEAST_SIGMA = 1e-3  # px; this does not blur, and avoids division by 0
POINTS_PER_PIXEL = 32  # samples of a motion's path


def grid(radius: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y, (2 radius + 1, 2 radius + 1): px from the kernel's centre."""
    line = np.arange(-radius, radius + 1, dtype=np.float64)
    return np.meshgrid(line, line)


def squared_distance(sigma: tuple[float, float], angle: float, radius: int) -> np.ndarray:
    """Squared distance of each pixel from the centre, in standard deviations.

    sigma in px, along and across the direction `angle`, in radians from x towards y.
    """
    x, y = grid(radius)
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    first, second = (max(s, LEAST_SIGMA) for s in sigma)
    return (along / first) ** 2 + (across / second) ** 2


def gaussian(sigma: tuple[float, float], angle: float, radius: int) -> np.ndarray:
    """exp(-d²/2), d the distance in standard deviations."""
    return whole(np.exp(-0.5 * squared_distance(sigma, angle, radius)))


def generalised_gaussian(
    sigma: tuple[float, float], angle: float, radius: int, beta: float
) -> np.ndarray:
    """exp(-d^(2 beta)/2): pointed for beta < 1, a Gaussian at 1, flat-topped above."""
    return whole(np.exp(-0.5 * squared_distance(sigma, angle, radius) ** beta))


def plateau(sigma: tuple[float, float], angle: float, radius: int, beta: float) -> np.ndarray:
    """1 / (1 + d^(2 beta)): a flat middle and long tails."""
    return whole(1 / (1 + squared_distance(sigma, angle, radius) ** beta))


def motion(length: float, angle: float) -> np.ndarray:
    """A straight line of `length` px around the centre, at constant speed.

    angle in radians from x towards y. Samples of the line are spread bilinearly over four pixels,
    which avoids aliasing.
    """
    radius = math.ceil(length / 2) + 1
    count = max(1, math.ceil(length * POINTS_PER_PIXEL))
    along = ((np.arange(count) + 0.5) / count - 0.5) * length
    x, y = (radius + along * f(angle) for f in (math.cos, math.sin))
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    kernel = np.zeros((2 * radius + 1,) * 2)
    for down, row in ((0, 1 - (y - top)), (1, y - top)):
        for right, col in ((0, 1 - (x - left)), (1, x - left)):
            np.add.at(kernel, (top + down, left + right), row * col)
    return whole(kernel)


def circular_sinc(cutoff: float, radius: int) -> np.ndarray:
    """The ideal low-pass for frequencies up to `cutoff` times the Nyquist frequency.

    w J1(w r) / (2 pi r) with w = pi cutoff; w²/(4 pi) in the middle.
    """
    x, y = grid(radius)
    distance, w = np.hypot(x, y), math.pi * cutoff
    distance[radius, radius] = 1  # replaced below
    bessel = torch.special.bessel_j1(torch.from_numpy(w * distance)).numpy()
    kernel = w * bessel / (2 * math.pi * distance)
    kernel[radius, radius] = w**2 / (4 * math.pi)
    return whole(kernel)


def whole(kernel: np.ndarray) -> np.ndarray:
    """The kernel divided by its sum."""
    return kernel / kernel.sum()
