"""Prices that good models doubt together, what all say of one item, and what errors cost."""

import polars as pl
import pytest

from pricer.evaluation.frontier import COSTS, cost_table, on_frontier
from pricer.evaluation.suspects import one_item, suspects
from pricer.figures.frontier import cost_words, frontier_chart, frontier_finding, off_chart
from pricer.runs.doubters import doubters
from pricer.runs.store import Run, RunManifest
from tests.grading import graded, graded_run


def test_a_price_that_models_agree_against_is_suspect():
    prices = [10.0, 100.0, 100.0, 999.0]
    runs = [
        graded_run(graded(prices, guesses), name=name)
        for name, guesses in (
            ("a", [11.0, 30.0, 100.0, 20.0]),
            ("b", [10.0, 35.0, 300.0, 21.0]),
            ("c", [12.0, 38.0, 20.0, 22.0]),
        )
    ]
    looked = suspects(runs)
    found = looked.found
    assert (looked.items, looked.agreed) == (4, 3)
    assert found["item_id"].to_list() == ["i00003", "i00001"]
    assert found["middle"].to_list() == pytest.approx([21.0, 35.0])
    assert found["times"].to_list() == pytest.approx([999 / 21, 100 / 35])
    assert suspects(runs[:2]).found.is_empty()
    assert suspects([graded_run(run.table.clear(), name=run.name) for run in runs]).found.is_empty()


def test_no_answer_is_no_agreement():
    runs = [graded_run(graded([500.0], [guess]), name=str(guess)) for guess in (50.0, 51.0, None)]
    assert suspects(runs).found.is_empty()


def test_every_doubtful_price_is_told():
    runs = [graded_run(graded([500.0] * 75, [50.0 + place] * 75), name=str(place)) for place in range(3)]
    assert len(suspects(runs).found) == 75


def test_agreement_of_one_kind_or_of_a_stack_is_none():
    def run(name, kind="tfidf-ridge", family="words", train_items=100, **settings):
        facts = {"id": name, "name": name, "model": kind, "family": family, "model_settings": settings}
        return Run(RunManifest.model_construct(**facts, train_items=train_items))

    runs = [
        *(run("stack", "stack", "stack"), run("ridge"), run("ridge again"), run("mean", "mean", "yardstick")),
        *(run(name, "hosted", "hosted", model=name.split()[0]) for name in ("gpt", "claude", "gpt again")),
        *(run(name, "imported", "human", 0) for name in ("Ada", "Bob")),
        run("forest", "word2vec-forest", "trees"),
    ]
    assert [each.name for each in doubters(runs)] == ["ridge", "gpt", "claude", "Ada", "Bob"]


def test_one_item_across_all_runs():
    runs = [graded_run(graded([10.0, 100.0], [10.0, guess]), name=f"to {guess}") for guess in (500.0, 90.0, None)]
    found = one_item(runs, "i00001")
    assert found["name"].to_list() == ["to 90.0", "to None", "to 500.0"]
    assert found["error"].to_list() == [10.0, 50.0, 400.0]
    assert one_item(runs, "nothing").is_empty()


def test_the_frontier_holds_what_nothing_beats():
    table = pl.DataFrame({"error": [10.0, 20.0, 30.0, 10.0], "cost": [5.0, 1.0, 2.0, 6.0]})
    assert on_frontier(table, "cost").to_list() == [True, True, False, False]
    twins = pl.DataFrame({"error": [10.0, 10.0], "cost": [1.0, 1.0]})
    assert on_frontier(twins, "cost").all()


def test_a_cost_that_nobody_measured_is_neither_free_nor_on_the_frontier():
    fact = {"family": "words", "fit_seconds": 2.0, "guess_seconds": 1.0, "cost_dollars": 0.0, "asked_items": 500}
    elsewhere = fact | {"family": "human", "fit_seconds": None, "guess_seconds": None, "cost_dollars": None}
    named = [(fact, "ridge", 20.0), (fact | {"fit_seconds": 1.0}, "mean", 40.0), (elsewhere, "people", 9.0)]
    table = cost_table([facts | {"run": name, "name": name, "error": error} for facts, name, error in named])
    assert table["name"].to_list() == ["people", "ridge", "mean"]
    for cost in COSTS:
        assert not table[f"{cost}_frontier"][0] and table[f"{cost}_frontier"][1]
    assert frontier_finding(table, "fit_seconds") == "Two of two runs are beaten by none in both error and cost"
    assert cost_words(table.row(0, named=True)) == ("–", "–", "–")
    assert cost_words(table.row(1, named=True)) == ("2 s", "2.00 s", "none")
    assert "1 run made elsewhere" in off_chart(table, "fit_seconds")
    alone = frontier_chart(table.head(1), "fit_seconds", "light")
    assert not any(len(trace.x) for trace in alone.data)


def test_costs_are_told_per_1000_guesses():
    facts = {"run": "a", "name": "a", "family": "hosted", "error": 5.0, "fit_seconds": 0.0}
    table = cost_table([facts | {"guess_seconds": 50.0, "cost_dollars": 0.25, "asked_items": 250}])
    assert table["seconds_per_1000"][0] == 200.0
    assert table["dollars_per_1000"][0] == 1.0
    assert table["dollars_per_1000_frontier"][0]
