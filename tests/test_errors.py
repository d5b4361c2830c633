"""Errors: known answers, natural and balanced, and figures that depend on nothing but the guesses."""

from dataclasses import astuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricer.evaluation.errors import asked, metrics, worst
from pricer.evaluation.scoring import Scoring, Thresholds, scored
from tests.grading import graded

MEDIAN = 50.0
prices = st.floats(0.5, 999.49)
guesses = st.none() | st.floats(-1e6, 1e6) | st.sampled_from([float("nan"), float("inf"), 0.0, 4999.99])
answers = st.lists(st.tuples(prices, guesses), min_size=1, max_size=30)


def measure(rows, **choices):
    return metrics(graded([price for price, _ in rows], [guess for _, guess in rows]), MEDIAN, **choices)


def test_one_guess_of_4999_99_is_clipped_to_999():
    rows = [(99.0, 99.0)] * 249 + [(99.0, 4999.99)]
    assert measure(rows).error == pytest.approx(900 / 250)


def test_a_guess_below_a_dollar_counts_as_one_dollar():
    assert measure([(10.0, -3.0), (10.0, 0.0)]).error == 9


@pytest.mark.parametrize("status", ["refusal", "unparsable", "failed"])
def test_a_no_answer_is_scored_as_the_train_median(status):
    found = metrics(graded([80.0, 80.0], [None, 70.0], status=[status, "answer"]), MEDIAN)
    assert (found.error, found.error_answered, found.share_answered) == (20, 10, 0.5)


def test_a_number_beside_a_refusal_is_no_answer():
    found = metrics(graded([80.0], [80.0], status=["refusal"]), MEDIAN)
    assert (found.error, found.error_answered, found.share_answered) == (30, None, 0)


@pytest.mark.parametrize("guess", [float("nan"), float("inf"), None])
def test_an_answer_that_is_no_number_is_no_answer(guess):
    found = metrics(graded([80.0], [guess], status=["answer"]), MEDIAN)
    assert (found.error, found.share_answered) == (30, 0)


def test_a_no_answer_is_no_hit_even_where_the_median_is_the_price():
    found = measure([(MEDIAN, None)])
    assert (found.error, found.hits, found.within_20, found.poor) == (0, 0, 0, 1)


def test_a_perfect_model_has_no_error():
    found = measure([(price, price) for price in (5.0, 50.0, 500.0, 999.0)])
    assert (found.error, found.error_low, found.error_high) == (0, 0, 0)
    assert (found.median_error, found.rmsle, found.rmse, found.mape) == (0, 0, 0, 0)
    assert (found.r2, found.hits, found.within_20) == (1, 1, 1)


def test_every_figure_of_a_case_worked_by_hand():
    found = measure([(10.0, 20.0), (100.0, 110.0), (400.0, 300.0), (200.0, 130.0)])
    assert found.error == (10 + 10 + 100 + 70) / 4
    assert found.median_error == 40
    assert found.within_20 == 1 / 4
    assert (found.hits, found.fair, found.poor) == (0.5, 0.5, 0)
    assert found.mape == pytest.approx((1 + 0.1 + 0.25 + 0.35) / 4)
    assert found.rmse == pytest.approx(np.sqrt((100 + 100 + 10_000 + 4_900) / 4))
    assert found.rmsle == pytest.approx(np.sqrt(np.mean(np.log([21 / 11, 111 / 101, 301 / 401, 131 / 201]) ** 2)))
    assert found.r2 == pytest.approx(1 - 15_100 / np.sum((np.array([10, 100, 400, 200]) - 177.5) ** 2))


@pytest.mark.parametrize(("guess", "share"), [(120.0, 1), (80.0, 1), (120.01, 0), (79.99, 0)])
def test_within_20_percent_holds_its_ends(guess, share):
    assert measure([(100.0, guess)]).within_20 == share


@pytest.mark.parametrize(
    ("price", "guess", "colour"),
    [
        (20.0, 59.99, "good"),  # below $40
        (20.0, 60.0, "fair"),
        (20.0, 99.99, "fair"),  # below $80
        (20.0, 100.0, "poor"),
        (500.0, 401.0, "good"),  # below 20 %
        (500.0, 400.0, "fair"),
        (500.0, 301.0, "fair"),  # below 40 %
        (500.0, 300.0, "poor"),
    ],
)
def test_colours_follow_the_notebooks_rule(price, guess, colour):
    assert scored(graded([price], [guess]), MEDIAN)["colour"].to_list() == [colour]


def test_the_thresholds_of_the_colours_can_be_moved():
    strict = Thresholds(good_dollars=1, good_share=0.01, fair_dollars=2, fair_share=0.02)
    assert scored(graded([100.0], [110.0]), MEDIAN, Scoring(thresholds=strict))["colour"].to_list() == ["poor"]


def test_the_balanced_error_is_the_mean_of_the_bands_means():
    table = graded([5.0, 5.0, 5.0, 900.0], [6.0, 7.0, 9.0, 500.0])
    assert metrics(table, MEDIAN, "natural").error == (1 + 2 + 4 + 400) / 4
    found = metrics(table, MEDIAN, "balanced")
    assert (found.error, found.bands, found.items) == (pytest.approx((7 / 3 + 400) / 2), 2, 4)


def test_a_band_holds_its_lower_end():
    table = graded([10.0, 19.99, 20.0], [10.0, 19.99, 32.0])
    assert metrics(table, MEDIAN, "balanced").error == 6


def test_the_balanced_median_gives_every_band_half_of_the_say():
    table = graded([5.0, 5.0, 5.0, 900.0], [6.0, 6.0, 6.0, 800.0])
    assert metrics(table, MEDIAN, "natural").median_error == 1
    assert metrics(table, MEDIAN, "balanced").median_error == (1 + 100) / 2


def test_a_reading_takes_its_own_exam_and_its_first_k():
    table = graded([10.0] * 4, [11.0, 12.0, 13.0, 14.0], natural_rank=[2, 0, None, 1], balanced_rank=[None, 1, 0, None])
    assert asked(table, "natural")["guess"].to_list() == [12, 14, 11]
    assert asked(table, "natural", 2)["guess"].to_list() == [12, 14]
    assert asked(table, "balanced", 1)["guess"].to_list() == [13]


@given(answers, st.randoms())
def test_no_figure_depends_on_the_order_of_rows(rows, random):
    table = graded([price for price, _ in rows], [guess for _, guess in rows])
    places = list(range(len(rows)))
    random.shuffle(places)
    for reading in ("natural", "balanced"):
        assert astuple(metrics(table[places], MEDIAN, reading)) == astuple(metrics(table, MEDIAN, reading))


@given(answers)
@settings(max_examples=30)
def test_figures_keep_to_their_bounds(rows):
    for reading in ("natural", "balanced"):
        found = measure(rows, reading=reading)
        assert 0 <= found.error <= 998.5 and found.error <= found.rmse * (1 + 1e-9)
        assert found.hits + found.fair + found.poor == pytest.approx(1)
        assert 0 <= found.within_20 <= found.share_answered + 1e-9
        if found.error_low is not None:
            assert 0 <= found.error_low <= found.error + 1e-9 and found.error <= found.error_high + 1e-9


def test_one_item_has_an_error_and_no_interval():
    found = measure([(10.0, 14.0)])
    assert (found.items, found.error, found.error_low, found.error_high, found.r2) == (1, 4, None, None, None)


def test_no_items_have_no_figures():
    found = metrics(graded([], []), MEDIAN)
    assert found.items == 0 and set(astuple(found)) == {0, None}


def test_the_worst_errors_are_answers_by_dollars():
    table = scored(graded([10.0, 10.0, 900.0, 10.0], [300.0, 11.0, None, 990.0]), MEDIAN)
    assert worst(table, 2)["item_id"].to_list() == ["i00003", "i00000"]


def test_guesses_as_they_came_are_kept_beside_the_score():
    table = scored(graded([10.0], [4999.99]), MEDIAN)
    assert table.select("guess", "scored_guess", "error").rows() == [(4999.99, 999.0, 989.0)]
    assert table.schema["scored_guess"] == pl.Float64
