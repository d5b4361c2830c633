"""Every two runs at once: the same as two by two, and joint intervals that hold together."""

import numpy as np
import pytest

from pricer.errors import PricerError
from pricer.evaluation.comparison import paired
from pricer.evaluation.intervals import mean_interval
from pricer.evaluation.leaderboard import leaderboard
from pricer.evaluation.matrix import paired_matrix
from tests.grading import graded, graded_run


def runs_of(count: int, items: int = 400, seed: int = 0, better: float = 0.0):
    """Runs whose guesses differ by noise; the first errs less by `better` (a share)."""
    random = np.random.default_rng(seed)
    prices = random.lognormal(3.5, 1.0, items).clip(1, 990)
    shared = random.normal(0, 0.3, items)
    noises = [shared + random.normal(0, 0.2, items) for _ in range(count)]
    noises[0] = noises[0] * (1 - better)
    return [graded_run(graded(prices, prices * np.exp(noise)), name=f"run {i}") for i, noise in enumerate(noises)]


def test_the_matrix_says_what_two_runs_say():
    runs = runs_of(4)
    matrix = paired_matrix(runs)
    by_id = {run.id: run for run in runs}
    assert len(matrix.pairs) == 6
    for run, other in matrix.pairs:
        alone = paired(by_id[run], by_id[other])
        both = matrix.pair(run, other)
        assert both.difference == pytest.approx(alone.difference)
        assert both.high - both.low == pytest.approx(alone.high - alone.low, rel=0.05)
        assert both.items == alone.items == 400
        back = matrix.pair(other, run)
        assert (back.difference, back.low, back.high) == pytest.approx((-both.difference, -both.high, -both.low))


def test_the_best_run_comes_first_and_beats_the_others():
    matrix = paired_matrix(runs_of(4, items=2000, better=0.5))
    assert matrix.runs[0] == "run 0"
    assert all(matrix.pair(run, "run 0").difference > 0 for run in matrix.runs[1:])
    assert not any(matrix.pair(run, "run 0").tied for run in matrix.runs[1:])


def test_joint_intervals_are_wider_and_hold_together():
    runs = runs_of(6)
    apart, together = paired_matrix(runs), paired_matrix(runs, joint=True)
    widths = [
        (together.pairs[pair].high - together.pairs[pair].low) / (apart.pairs[pair].high - apart.pairs[pair].low)
        for pair in apart.pairs
    ]
    assert min(widths) > 1
    assert together.ties >= apart.ties
    false_alarms = [paired_matrix(runs_of(6, 200, seed), joint=True).ties < 15 for seed in range(1, 61)]
    assert sum(false_alarms) <= 8  # 5 % of 60 are expected
    lone_alarms = [paired_matrix(runs_of(6, 200, seed)).ties < 15 for seed in range(1, 61)]
    assert sum(lone_alarms) > sum(false_alarms)


def test_joint_intervals_hold_together_where_runs_were_asked_different_parts():
    """Two lots of pairs with the same items in common: each must hold with 97.5 %, for both to hold with 95 %."""
    runs = [graded_run(run.table.head(k), name=run.name) for run, k in zip(runs_of(3), (400, 300, 200), strict=True)]
    matrix = paired_matrix(runs, joint=True)
    assert sorted(pair.items for pair in matrix.pairs.values()) == [200, 200, 300]
    pair = matrix.pair("run 0", "run 1")
    errors = [(run.table["guess"].clip(1, 999) - run.table["price"]).abs().head(300) for run in runs[:2]]
    alone = mean_interval((errors[0] - errors[1]).to_numpy(), np.arange(300), confidence=1 - 0.05 / 2)
    assert pair.high - pair.low == pytest.approx(alone.high - alone.low, rel=0.02)


def test_the_items_that_settle_a_joint_tie_are_told_by_the_width_of_joint_intervals():
    runs = runs_of(6)
    apart, together = paired_matrix(runs), paired_matrix(runs, joint=True)
    for names, pair in together.pairs.items():
        if pair.items_to_settle and apart.pairs[names].tied:
            difference, half = pair.difference, pair.high - pair.difference
            error = (apart.pairs[names].high - difference) / 1.96
            expected = pair.items * ((half / error + 0.84) * error / difference) ** 2
            assert pair.items_to_settle == pytest.approx(expected, rel=0.06)


def test_two_models_that_differ_by_noise_are_a_tie():
    matrix = paired_matrix(runs_of(2))
    assert matrix.ties == 1
    assert matrix.pair("run 0", "run 1").items_to_settle > 400


def test_a_copy_is_a_tie_at_nothing():
    [run] = runs_of(1)
    matrix = paired_matrix([run, graded_run(run.table, name="copy")], joint=True)
    assert matrix.pair("copy", run.id).tied
    assert matrix.pair("copy", run.id).difference == 0


def test_pairs_are_compared_on_what_both_were_asked():
    [run, other, third] = runs_of(3)
    few = graded_run(other.table.head(100), name=other.name)
    none = graded_run(third.table.clear(), name=third.name)
    matrix = paired_matrix([run, few, none])
    assert matrix.pair(run.id, few.id).items == 100
    assert matrix.pair(run.id, none.id).difference is None
    assert matrix.pair(none.id, run.id).difference is None


def test_runs_of_different_exams_are_refused():
    [run] = runs_of(1)
    with pytest.raises(PricerError, match="different exams"):
        paired_matrix([run, graded_run(run.table, exam="f" * 64)])


def test_balanced_differences_weigh_bands_alike():
    runs = runs_of(2, items=1000)
    matrix = paired_matrix(runs, "balanced")
    alone = paired(*sorted(runs, key=lambda run: matrix.runs.index(run.id), reverse=True), "balanced")
    assert matrix.pair(*reversed(matrix.runs)).difference == pytest.approx(alone.difference)


def test_runs_come_in_the_leaderboard_s_order_in_both_readings():
    cheap, dear = [10.0] * 9 + [500.0], [12.0] * 9 + [500.0]
    runs = [graded_run(graded(cheap, guesses), name=name) for name, guesses in (("a", dear), ("b", [10.0] * 9 + [485]))]
    for reading in ("natural", "balanced"):
        assert list(paired_matrix(runs, reading).runs) == leaderboard(runs, reading)["run"].to_list()
    assert paired_matrix(runs, "natural").runs != paired_matrix(runs, "balanced").runs
