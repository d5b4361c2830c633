"""The width of the interval that k exam items will buy, told before they are asked, against what comes of it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pricer.curation.dataset import open_dataset
from pricer.evaluation.errors import metrics
from pricer.evaluation.intervals import mean_interval
from pricer.runs.precision import expected_precision, half_width
from pricer.runs.preflight import preflight
from pricer.runs.store import Run, list_runs, open_run
from pricer.runs.training import Order


@pytest.fixture
def runs(home: Path, trained_home: Path) -> list[Run]:
    shutil.copytree(trained_home, home)
    return list_runs()


def test_the_formula_foretells_the_mean_width_of_intervals_of_drawn_samples():
    """Errors are drawn anew many times; the intervals that are reported are on average as wide as foretold."""
    rng = np.random.default_rng(1)
    population = rng.lognormal(3, 0.9, 200_000)
    for k in (100, 400):
        widths = []
        for seed in range(40):
            found = mean_interval(rng.choice(population, k), np.arange(k), seed=seed)
            widths.append((found.high - found.low) / 2)
        assert np.mean(widths) == pytest.approx(half_width([population.std()], k), rel=0.15)


def test_the_formula_holds_for_bands_that_weigh_the_same():
    rng, scales, each = np.random.default_rng(2), (2.0, 10.0, 60.0), 50
    widths = []
    for seed in range(40):
        errors = np.concatenate([rng.exponential(scale, each) for scale in scales])
        found = mean_interval(errors, np.arange(len(errors)), np.repeat(range(len(scales)), each), seed)
        widths.append((found.high - found.low) / 2)
    assert np.mean(widths) == pytest.approx(half_width(scales, each * len(scales)), rel=0.15)


def test_a_run_of_the_same_model_foretells_its_own_interval(runs):
    run, dataset = open_run("tfidf-ridge on even"), open_dataset("even")
    items = dataset.manifest.natural
    found = expected_precision(Order("tfidf-ridge", "even"), dataset, runs, "natural", items)
    assert found.source == "the errors of tfidf-ridge on even"
    graded = run.graded()
    had = metrics(graded.table, graded.train_median)
    assert found.half_width == pytest.approx((had.error_high - had.error_low) / 2, rel=0.25)
    balanced = expected_precision(Order("tfidf-ridge", "even"), dataset, runs, "balanced", 100)
    assert 0 < balanced.half_width < 1000


def test_four_times_the_items_halve_the_interval(runs):
    dataset = open_dataset("even")
    few, many = (expected_precision(Order("mean", "even"), dataset, runs, "natural", k) for k in (50, 200))
    assert few.half_width == pytest.approx(2 * many.half_width)
    assert expected_precision(Order("mean", "even"), dataset, runs, "natural", 1) is None


def test_other_models_and_then_prices_stand_in_where_no_such_run_is(runs):
    dataset, order = open_dataset("even"), Order("features", "even")
    assert "3 other runs" in expected_precision(order, dataset, runs, "natural", 100).source
    alone = expected_precision(order, dataset, [], "natural", 100)
    assert "prices alone" in alone.source
    median = expected_precision(Order("mean", "even"), dataset, runs, "natural", 100)
    assert alone.half_width == pytest.approx(median.half_width, rel=0.3)  # a constant guess errs about as much


def test_preflight_tells_the_interval_and_what_is_written(runs):
    dataset = open_dataset("even")
    whole, part = (preflight(Order("tfidf-ridge", "even", first_k=k), dataset, runs) for k in (None, 20))
    assert part.precision.half_width > 2 * whole.precision.half_width
    told = {check.words: check for check in part.checks}
    assert told["95% interval of the error, by the errors of tfidf-ridge on even"].verdict == "look"
    assert told["Price"].value.startswith("nothing") and told["Disk"].value.startswith("up to")


def test_a_disk_that_the_model_would_fill_stops_the_run(runs, monkeypatch):
    usage = type("Usage", (), {"free": 600_000_000})
    monkeypatch.setattr("pricer.runs.preflight.psutil.disk_usage", lambda path: usage)
    assert not preflight(Order("deep-network", "even"), open_dataset("even"), runs).may_start
