"""Stored guesses are scored anew by switches: clipping, no-answers, thresholds."""

import pytest

from pricer.errors import PricerError
from pricer.evaluation.errors import metrics
from pricer.evaluation.scoring import Scoring, Thresholds, answer_counts, scored
from tests.grading import graded

MEDIAN = 50.0


def test_one_wild_guess_among_250_costs_16_dollars_and_clipping_takes_them_away():
    prices = [999.99 - 0.5] * 250  # dear items, guessed to the cent but for one
    calm = graded(prices, prices)
    wild = graded(prices, [4999.99, *prices[1:]])
    unclipped = Scoring(clipped=False)
    added = metrics(wild, MEDIAN, scoring=unclipped).error - metrics(calm, MEDIAN, scoring=unclipped).error
    assert added == pytest.approx(16.0, abs=0.01)
    assert metrics(wild, MEDIAN).error == pytest.approx(metrics(calm, MEDIAN).error)


def test_no_answers_are_scored_as_the_train_median_or_left_out():
    table = graded([100.0, 100.0], [90.0, None])
    assert metrics(table, MEDIAN).error == 30.0
    found = metrics(table, MEDIAN, scoring=Scoring(no_answer="left out"))
    assert (found.items, found.error, found.share_answered) == (1, 10.0, 1.0)
    assert metrics(graded([1.0], [None]), MEDIAN, scoring=Scoring(no_answer="left out")).error is None


def test_answers_are_counted_by_what_they_are():
    table = graded(
        [10.0] * 7,
        [0.2, 5.0, 2000.0, None, None, None, float("inf")],
        status=["answer", "answer", "answer", "refusal", "unparsable", "failed", "answer"],
    )
    assert answer_counts(table) == {
        "asked": 7, "answers": 3, "below": 1, "above": 1, "refusals": 1, "unparsable": 1, "failed": 2,
    }  # fmt: skip
    assert set(answer_counts(table.clear()).values()) == {0}


def test_what_differs_from_the_leaderboard_is_said():
    assert Scoring().in_words() == ""
    assert Scoring().is_default
    changed = Scoring(Thresholds(good_dollars=10), clipped=False, no_answer="left out", point="quantile", quantile=0.25)
    assert changed.in_words() == (
        "guesses not clipped, no-answers left out, the 25% quantile of distributions, other thresholds of good and fair"
    )


def test_a_quantile_lies_between_0_and_1():
    with pytest.raises(PricerError, match="between 0 and 1"):
        Scoring(point="quantile", quantile=1.0)


def test_bias_tells_too_dear_from_too_cheap():
    assert metrics(graded([10.0, 20.0], [15.0, 15.0]), MEDIAN).bias == 0.0
    assert metrics(graded([10.0, 20.0], [16.0, 24.0]), MEDIAN).bias == 5.0


def test_left_out_rows_are_gone_from_the_scored_table():
    table = scored(graded([10.0, 20.0], [None, 21.0]), MEDIAN, Scoring(no_answer="left out"))
    assert table["item_id"].to_list() == ["i00001"]
