"""Confidence intervals against a slow bootstrap and known normal differences."""

import numpy as np
import pytest

from l2rkit.leaderboard.paired import DRAWS, drawn, interval


def test_it_is_the_bootstrap_of_paired_differences() -> None:
    row, best = np.array([3.0, 1.0, 4.0, 1.5]), np.array([2.0, 1.0, 1.0, 2.5])
    means = []
    for counts in np.rint(drawn(4) * 4).astype(int):
        images = np.repeat(np.arange(4), counts)  # image i so many times as it was drawn
        assert len(images) == 4
        means.append(np.mean([row[i] - best[i] for i in images]))
    assert len(means) == DRAWS
    assert interval(row, best) == pytest.approx(
        (np.quantile(means, 0.025), np.quantile(means, 0.975))
    )


def test_each_image_is_drawn_once_on_average() -> None:
    counts = drawn(50) * 50
    assert counts.mean(0) == pytest.approx(np.ones(50), abs=0.12)
    assert counts.var() == pytest.approx(1 - 1 / 50, abs=0.03)  # multinomial


def test_normal_differences_have_the_interval_of_their_mean() -> None:
    n, shift = 400, 0.3
    draw = np.random.default_rng(1)
    hard = draw.normal(0, 5, n)  # what both methods share must not widen it
    difference = draw.normal(shift, 1, n)
    low, high = interval(hard + difference, hard)
    half = 1.96 * difference.std() / np.sqrt(n)
    assert (low, high) == pytest.approx(
        (difference.mean() - half, difference.mean() + half), abs=0.15 * half
    )


def test_it_holds_the_truth_19_times_of_20() -> None:
    draw = np.random.default_rng(2)
    ends = [interval(draw.normal(1, 2, 60), np.zeros(60)) for _ in range(400)]
    held = np.mean([low <= 1 <= high for low, high in ends])
    assert held == pytest.approx(0.95, abs=0.035)


def test_equal_rows_differ_by_nothing_and_turned_ones_by_the_opposite() -> None:
    row, best = np.random.default_rng(3).normal(size=(2, 30)).astype(np.float32)
    assert interval(row, row) == (0, 0)
    low, high = interval(row, best)
    assert interval(best, row) == pytest.approx((-high, -low), abs=1e-6)
    assert interval(row, best) == (low, high)  # seeded


def test_images_of_a_person_are_drawn_together() -> None:
    counts = drawn(10, 4)  # people with 4, 4 and 2 images
    assert (counts[:, :4] == counts[:, :1]).all() and (counts[:, 4:8] == counts[:, 4:5]).all()
    assert (counts[:, 8] == counts[:, 9]).all() and counts.sum(1) == pytest.approx(1)
    means = np.random.default_rng(4).normal(size=50)
    assert interval(means.repeat(4), np.zeros(200), 4) == pytest.approx(
        interval(means, np.zeros(50))
    )


def test_alike_images_of_a_person_do_not_narrow_it() -> None:
    draw = np.random.default_rng(5)
    held = []
    for _ in range(400):
        people = draw.normal(1, 2, 60).repeat(4) + draw.normal(0, 0.5, 240)
        low, high = interval(people, np.zeros(240), 4)
        held.append(low <= 1 <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.035)
