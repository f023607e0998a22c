"""The One Euro filter: what stands still is smoothed strongly, what moves fast hardly lags."""

import math

import numpy as np


class OneEuro:
    """Smooths an array over time, each number by itself (Casiez, Roussel and Vogel, CHI 2012).

    A low-pass filter of first order whose cutoff rises with the speed that it has seen. At a steady
    speed the value lags by less than `1 / (2 pi quick)`, however fast that is.

    Args:
        steady_hz: cutoff of what does not move; lower is smoother.
        quick: Hz that the cutoff rises by for each unit of speed (the paper's beta).
        slope_hz: cutoff of the speed itself.
    """

    def __init__(self, steady_hz: float = 1.0, quick: float = 0.0, slope_hz: float = 1.0) -> None:
        self.steady_hz, self.quick, self.slope_hz = steady_hz, quick, slope_hz
        self.forget()

    def forget(self) -> None:
        """Begins anew: the next value is taken as it is."""
        self.value: np.ndarray | None = None
        self.slope: np.ndarray | None = None
        self.time_s = -math.inf

    def __call__(self, value: np.ndarray, time_s: float) -> np.ndarray:
        """The smoothed value, of the same shape. The first one is taken as it is.

        Raises:
            ValueError: time does not go on, or the shape is another one than before.
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
            self.slope = self.slope + share(self.slope_hz, step) * (slope - self.slope)
            cutoff = self.steady_hz + self.quick * np.abs(self.slope)
            self.value = self.value + share(cutoff, step) * (value - self.value)
        self.time_s = time_s
        return self.value

    def state(self) -> dict[str, np.ndarray]:
        """What it remembers; empty if that is nothing."""
        if self.value is None or self.slope is None:
            return {}
        return {"value": self.value, "slope": self.slope, "time_s": np.array(self.time_s)}

    def load(self, state: dict[str, np.ndarray]) -> None:
        """Goes on where another filter's `state` ended."""
        self.forget()
        if state:
            self.value, self.slope = state["value"], state["slope"]
            self.time_s = float(state["time_s"])


def share(cutoff_hz: np.ndarray | float, step_s: float) -> np.ndarray | float:
    """0..1: how much of the way to a new value a low-pass filter of first order goes."""
    way = 2 * math.pi * cutoff_hz * step_s
    return way / (1 + way)
