"""The One Euro filter against its published algorithm."""

import math

import numpy as np
import pytest

from l2rkit.ops.one_euro import OneEuro


def published(values, times, fcmin, beta, dcutoff):
    """Algorithm 1 and 2 of Casiez et al., number by number."""

    def alpha(step, cutoff):
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau / step)

    smooth, slope, found = values[0], 0.0, [values[0]]
    for now, before, value in zip(times[1:], times, values[1:]):
        step = now - before
        speed = (value - smooth) / step
        slope = alpha(step, dcutoff) * speed + (1 - alpha(step, dcutoff)) * slope
        part = alpha(step, fcmin + beta * abs(slope))
        smooth = part * value + (1 - part) * smooth
        found.append(smooth)
    return found


def test_it_is_the_published_one_at_uneven_times_too() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.2, 50))
    values = rng.normal(size=(50, 2, 3))
    one = OneEuro(0.7, 3.0, 0.9)
    found = np.stack([one(value, time) for value, time in zip(values, times)])
    for place in np.ndindex(2, 3):
        expected = published(values[(slice(None), *place)], times, 0.7, 3.0, 0.9)
        np.testing.assert_allclose(found[(slice(None), *place)], expected, rtol=1e-12)


def test_noise_goes_and_a_steady_move_lags_by_no_more_than_it_says() -> None:
    rng, fps, quick = np.random.default_rng(1), 30, 10.0
    still, moved = OneEuro(1.0, quick), OneEuro(1.0, quick)
    noise = rng.normal(scale=0.002, size=300)
    rest = [float(still(np.array(n), i / fps)) for i, n in enumerate(noise)]
    assert np.std(rest[100:]) < 0.5 * np.std(noise[100:])
    for i in range(90):
        lag = 2.0 * i / fps - float(moved(np.array(2.0 * i / fps), i / fps))
    assert 0 < lag < 1 / (2 * math.pi * quick)


def test_a_constant_stays_and_a_first_value_is_taken_as_it_is() -> None:
    one = OneEuro()
    assert all(one(np.array([2.5, -1]), i / 25).tolist() == [2.5, -1] for i in range(9))
    one.forget()
    assert one(np.array([7.0]), 0.0).tolist() == [7.0]  # another shape, and time begins anew


def test_a_step_is_approached_from_one_side() -> None:
    one = OneEuro(1.0, 5.0)
    one(np.array(0.0), 0.0)
    way = [float(one(np.array(1.0), i / 30)) for i in range(1, 60)]
    assert np.all(np.diff([0, *way]) > 0) and way[-1] < 1 and way[-1] > 0.99


def test_time_has_to_go_on_and_shapes_to_stay() -> None:
    one = OneEuro()
    one(np.zeros(2), 1.0)
    for time in (1.0, 0.5, math.nan):
        with pytest.raises(ValueError, match=r"was at 1\.0 s"):
            one(np.zeros(2), time)
    with pytest.raises(ValueError, match=r"has seen \(2,\), not \(3,\)"):
        one(np.zeros(3), 2.0)


def test_another_one_goes_on_from_its_state() -> None:
    values = np.random.default_rng(2).normal(size=(20, 4)).astype(np.float32)
    whole, first, second = OneEuro(1, 2), OneEuro(1, 2), OneEuro(1, 2)
    expected = [whole(value, i / 10) for i, value in enumerate(values)]
    for i in range(10):
        first(values[i], i / 10)
    second.load(first.state())
    for i in range(10, 20):
        np.testing.assert_array_equal(second(values[i], i / 10), expected[i])
    assert expected[-1].dtype == np.float32
    second.load(OneEuro().state())
    assert second.value is None and second.state() == {}


def test_a_result_that_is_changed_changes_no_later_one() -> None:
    smooth, kept = OneEuro(), OneEuro()
    for time_s, value in enumerate(([1.0, 2.0], [3.0, 5.0], [4.0, 4.0])):
        got, expected = (filtered(np.array(value), float(time_s)) for filtered in (smooth, kept))
        np.testing.assert_array_equal(got, expected)
        got += 100
