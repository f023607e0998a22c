"""The One Euro filter: smooths still values strongly, with little lag for fast ones."""

import math

import numpy as np


class OneEuro:
    """Smooths each number of an array over time (Casiez, Roussel and Vogel, CHI 2012).

    A first-order low-pass filter whose cutoff rises with the filtered speed. At any constant speed
    the lag is less than `1 / (2 pi quick)`.

    Args:
        steady_hz: cutoff at speed 0 (the paper's f_cmin); lower is smoother.
        quick: increase of the cutoff in Hz per unit of speed (the paper's beta).
        slope_hz: cutoff of the filter of the speed (the paper's dcutoff).
    """

    def __init__(self, steady_hz: float = 1.0, quick: float = 0.0, slope_hz: float = 1.0) -> None:
        self.steady_hz, self.quick, self.slope_hz = steady_hz, quick, slope_hz
        self.forget()

    def forget(self) -> None:
        """Resets the filter: the next value is returned unchanged."""
        self.value: np.ndarray | None = None
        self.slope: np.ndarray | None = None
        self.time_s = -math.inf

    def __call__(self, value: np.ndarray, time_s: float) -> np.ndarray:
        """The smoothed value, of the same shape. The first value is returned unchanged.

        Raises:
            ValueError: the time does not increase, or the shape changes.
        """
        if self.value is None or self.slope is None:
            self.value, self.slope = np.array(value), np.zeros_like(value)
        else:
            if np.shape(value) != self.value.shape:
                raise ValueError(f"OneEuro has seen {self.value.shape}, not {np.shape(value)}")
            step = time_s - self.time_s
            if not step > 0:
                raise ValueError(f"OneEuro was at {self.time_s} s, and gets a value of {time_s} s")
            slope = (value - self.value) / step
            self.slope = self.slope + new_weight(self.slope_hz, step) * (slope - self.slope)
            cutoff = self.steady_hz + self.quick * np.abs(self.slope)
            self.value = self.value + new_weight(cutoff, step) * (value - self.value)
        self.time_s = time_s
        return self.value.copy()

    def state(self) -> dict[str, np.ndarray]:
        """The state, for `load`; empty before the first value."""
        if self.value is None or self.slope is None:
            return {}
        return {"value": self.value, "slope": self.slope, "time_s": np.array(self.time_s)}

    def load(self, state: dict[str, np.ndarray]) -> None:
        """Continues from a `state`."""
        self.forget()
        if state:
            self.value, self.slope = state["value"], state["slope"]
            self.time_s = float(state["time_s"])


def new_weight(cutoff_hz: np.ndarray | float, step_s: float) -> np.ndarray | float:
    """0..1: the weight of a new value in a first-order low-pass filter."""
    way = 2 * math.pi * cutoff_hz * step_s
    return way / (1 + way)
