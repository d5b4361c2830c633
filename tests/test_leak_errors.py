"""Errors on leaked and on clean items."""

import numpy as np
import polars as pl
import pytest

from pricer.evaluation.leaks import leak_errors
from pricer.evaluation.scoring import Scoring
from tests.grading import graded


def table(errors_leaked, errors_clean, **columns) -> pl.DataFrame:
    errors = [*errors_leaked, *errors_clean]
    leaked = [True] * len(errors_leaked) + [False] * len(errors_clean)
    return graded([100.0] * len(errors), [100.0 + error for error in errors], **columns).with_columns(
        leaked=pl.Series(leaked, dtype=pl.Boolean)
    )


def test_each_side_has_its_mean_and_number():
    found = leak_errors(table([1.0, 3.0], [10.0, 20.0, 30.0]), 50.0)
    assert (found.leaked.mean, found.leaked_items) == (2, 2)
    assert (found.clean.mean, found.clean_items) == (20, 3)
    assert found.difference.mean == pytest.approx(-18)
    assert (found.leaked_constant, found.clean_constant) == (50, 50)  # every price is $100, the train median $50


def test_a_difference_far_beyond_chance_is_one_and_none_is_none():
    rng = np.random.default_rng(0)
    apart = leak_errors(table(rng.uniform(0, 10, 80), rng.uniform(30, 50, 120)), 50.0)
    alike = leak_errors(table(rng.uniform(0, 10, 80), rng.uniform(0, 10, 120)), 50.0)
    assert apart.differs and apart.difference.high < 0
    assert not alike.differs and alike.difference.low < 0 < alike.difference.high


def test_the_interval_of_the_difference_is_that_of_two_independent_means():
    rng = np.random.default_rng(0)
    leaked, clean = rng.uniform(0, 10, 400), rng.uniform(0, 40, 600)
    found = leak_errors(table(leaked, clean), 50.0)
    half = (found.difference.high - found.difference.low) / 2
    assert half == pytest.approx(1.96 * np.sqrt(leaked.var() / 400 + clean.var() / 600), rel=0.1)


def test_no_error_is_below_zero():
    skewed = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 500.0]
    assert leak_errors(table(skewed, [1.0]), 50.0).leaked.low == 0


@pytest.mark.parametrize(("leaked", "clean"), [([], [1.0, 2.0]), ([1.0, 2.0], []), ([], [])])
def test_where_one_side_is_empty_there_is_no_difference(leaked, clean):
    found = leak_errors(table(leaked, clean), 50.0)
    assert found.difference == (None, None, None) and not found.differs
    assert (found.leaked_constant, found.clean_constant) == (50 if leaked else None, 50 if clean else None)
    assert (found.leaked_items, found.clean_items) == (len(leaked), len(clean))


def test_only_the_first_k_that_were_asked_count():
    found = leak_errors(table([1.0, 3.0], [10.0, 20.0]), 50.0, k=3)
    assert (found.leaked_items, found.clean_items, found.clean.mean) == (2, 1, 10)


def test_a_missing_answer_counts_as_the_train_median():
    answers = graded([100.0, 100.0], [None, 90.0]).with_columns(leaked=pl.Series([True, False]))
    assert leak_errors(answers, 60.0).leaked.mean == 40


def test_the_switches_of_scoring_hold_for_leaked_and_clean_items_too():
    wild = table([1.0, 3.0], [4000.0, 20.0])
    errors = leak_errors(wild, 50.0, scoring=Scoring(clipped=False))
    assert errors.clean.mean > leak_errors(wild, 50.0).clean.mean
