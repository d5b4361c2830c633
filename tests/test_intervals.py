"""Intervals: they cover what they promise, and say so where they cannot know."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.evaluation import intervals
from pricer.evaluation.intervals import estimates, mean_interval, mean_intervals

EXAMS, ITEMS = 1_000, 200


def coverage(exams: np.ndarray, truth: float, groups=None, bands=None) -> float:
    """How often the interval of an exam, a column, holds the true mean."""
    groups = np.arange(len(exams)) if groups is None else groups
    return float(np.mean([found.low <= truth <= found.high for found in mean_intervals(exams, groups, bands)]))


def guess_errors(rng, count):
    """Absolute errors of guesses that are off by a log-normal factor, on prices with a long tail."""
    price = np.clip(rng.lognormal(np.log(50), 1.2, count), 0.5, 999)
    return price, np.abs(np.clip(price * rng.lognormal(0, 0.5, count), 1, 999) - price)


def test_it_covers_log_normal_errors():
    rng = np.random.default_rng(1)
    exams = rng.lognormal(3, 0.5, (ITEMS, EXAMS))
    assert 0.93 <= coverage(exams, np.exp(3 + 0.5**2 / 2)) <= 0.97


def test_it_covers_errors_of_guesses_that_are_off_by_a_log_normal_factor():
    rng = np.random.default_rng(2)
    _, errors = guess_errors(rng, ITEMS * EXAMS)
    truth = guess_errors(rng, 2_000_000)[1].mean()
    assert 0.93 <= coverage(errors.reshape(ITEMS, EXAMS), truth) <= 0.97


def test_it_covers_the_difference_of_two_models():
    rng = np.random.default_rng(3)
    price = np.clip(rng.lognormal(np.log(50), 1.2, (ITEMS, EXAMS)), 0.5, 999)
    shared = rng.normal(0, 0.3, price.shape)
    one, other = (
        np.abs(np.clip(price * np.exp(shared + rng.normal(0, 0.4, price.shape)), 1, 999) - price) for _ in range(2)
    )
    assert 0.93 <= coverage(one - other, 0.0) <= 0.97


def test_it_covers_where_items_of_a_group_err_together_and_items_alone_would_not():
    rng = np.random.default_rng(4)
    sizes = np.tile([1, 1, 1, 2, 3, 8], 30)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    exams = rng.lognormal(0, 0.5, (len(sizes), EXAMS))[groups] * rng.lognormal(0, 0.2, (len(groups), EXAMS))
    truth = np.exp((0.5**2 + 0.2**2) / 2)
    assert 0.93 <= coverage(exams, truth, groups) <= 0.97
    assert coverage(exams, truth) < 0.8


def test_it_covers_the_mean_of_bands():
    rng = np.random.default_rng(5)
    bands = np.repeat(np.arange(8), ITEMS // 8)
    exams = rng.lognormal(0.6 * bands[:, None], 0.5, (ITEMS, EXAMS))
    assert 0.93 <= coverage(exams, np.exp(0.6 * np.arange(8) + 0.5**2 / 2).mean(), bands=bands) <= 0.97


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(6).lognormal(0, 1, 50)
    assert mean_interval(values, np.arange(50), seed=7) == mean_interval(values, np.arange(50), seed=7)
    assert mean_interval(values, np.arange(50), seed=7) != mean_interval(values, np.arange(50), seed=8)


def test_many_columns_have_the_intervals_that_each_has_alone():
    values = np.random.default_rng(8).lognormal(0, 1, (60, 3))
    groups = np.arange(60) // 2
    for column, found in enumerate(mean_intervals(values, groups)):
        assert found == pytest.approx(mean_interval(values[:, column], groups), rel=1e-4)


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e3))
def test_an_interval_scales_with_its_values(start, factor):
    values = np.random.default_rng(9).lognormal(0, 1, 40) + start
    groups = np.arange(40)
    expected = [factor * end for end in mean_interval(values, groups)]
    assert mean_interval(factor * values, groups) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("values", [[0.0] * 9, [0.1] * 7, [3.0, 3.0]])
def test_equal_values_have_an_interval_without_width(values):
    mean, low, high = mean_interval(np.array(values), np.arange(len(values)))
    assert low == mean == high == pytest.approx(values[0])


@pytest.mark.parametrize("values", [[4.0], [4.0, 8.0], [1.0, 2.0, 6.0], [0.0] * 40 + [5.0]])
def test_too_few_groups_that_differ_have_no_interval(values):
    found = mean_interval(np.array(values), np.arange(len(values)))
    assert found.mean == pytest.approx(np.mean(values))
    assert (found.low, found.high) == (None, None)


def test_a_band_of_one_group_leaves_no_interval():
    found = mean_interval(np.arange(11.0), np.array([*range(10), 10]), np.array([0] * 10 + [1]))
    assert (found.mean, found.low) == ((4.5 + 10) / 2, None)


def test_one_group_of_many_items_has_no_interval():
    assert mean_interval(np.arange(30.0), np.zeros(30)).low is None


def test_nothing_has_no_mean():
    assert tuple(mean_interval(np.array([]), np.array([]))) == (None, None, None)


@pytest.mark.parametrize("bands", [None, np.repeat([0, 1, 2], 500)])
def test_the_expansion_says_what_the_bootstrap_says(bands, monkeypatch):
    rng = np.random.default_rng(11)
    values = np.column_stack([guess_errors(rng, 1500)[1] for _ in range(20)])
    groups = rng.integers(0, 1300, 1500) + (0 if bands is None else 2000 * bands)
    quick = estimates(values, groups, bands)
    monkeypatch.setattr(intervals, "MOST_CORRECTION", 0)
    slow = estimates(values, groups, bands)
    assert np.median(np.abs(quick.quantile / slow.quantile - 1)) < 0.03  # two bootstraps differ by as much
    assert (quick.quantile != slow.quantile).all()


@pytest.mark.slow
def test_ten_thousand_items_take_well_under_half_a_second():
    values = np.random.default_rng(10).lognormal(3, 0.5, 10_000)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        mean_interval(values, np.arange(10_000))
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.5
