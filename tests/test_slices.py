"""Errors by part, and the parts where a run is weak beyond what prices explain."""

import numpy as np
import polars as pl
import pytest

from pricer.evaluation.errors import parts_of, point_metrics, price_bands, weights
from pricer.evaluation.leaderboard import leaderboard
from pricer.evaluation.ranges import Ranges, coverage
from pricer.evaluation.running import running_error
from pricer.evaluation.scoring import scored
from pricer.evaluation.slices import BAND_NAMES, by_part, grid, weak_parts
from tests.grading import graded, graded_run


def table_of(count: int, seed: int = 0, weak: str | None = None, **columns) -> pl.DataFrame:
    """Errors of about a third of each price; three times as much in the category `weak`."""
    random = np.random.default_rng(seed)
    prices = random.lognormal(3.5, 1.0, count).clip(1, 990)
    categories = random.choice(["Tools", "Toys", "Office"], count)
    noise = random.normal(0, 0.3, count) * np.where(categories == weak, 3, 1)
    table = graded(prices, prices * np.exp(noise), category=categories.tolist())
    return scored(table.with_columns(**columns), 50.0)


def test_parts_add_up_to_the_whole():
    table = table_of(500)
    for part in ("category", "band"):
        found = by_part(table, part)
        assert found["items"].sum() == 500
        assert (found["items"] * found["error"]).sum() / 500 == pytest.approx(table["error"].mean())
        assert (found["low"] <= found["error"]).all()
        assert (found["error"] <= found["high"]).all()
    bands = by_part(table, "band")["part"].to_list()
    assert bands == [name for name in BAND_NAMES if name in bands]
    assert by_part(table.clear(), "band").is_empty()


@pytest.mark.parametrize("reading", ["natural", "balanced"])
def test_every_view_of_a_reading_ends_at_the_same_figures(reading):
    table = table_of(500).filter(pl.col("price") < 400).with_columns(all=pl.lit("all"))
    whole, parts = point_metrics(table, reading), parts_of(table, reading)
    errors, prices = table["error"].to_numpy(), table["price"].to_numpy()
    assert running_error(errors, parts)["mean"][-1] == pytest.approx(whole.error)
    row = by_part(table, "all", reading).row(0, named=True)
    for figure in ("items", "error", "hits", "median_error", "rmsle", "r2"):
        assert row[figure] == pytest.approx(getattr(whole, figure))
    board = leaderboard([graded_run(table)], reading)
    assert (row["low"], row["high"]) == pytest.approx((board["error_low"][0], board["error_high"][0]), rel=1e-3)
    wide = Ranges(0.8, prices - 40, np.where(errors < 40, prices + 40, prices - 1))
    held = coverage(prices, wide, parts)
    assert held.covered == pytest.approx(weights(parts) @ (errors < 40))
    assert held.low < held.covered < held.high
    means = [errors[parts == part].mean() for part in set(parts)]
    assert whole.error == pytest.approx(np.mean(means))


def test_the_running_error_has_a_band_once_every_price_band_has_two_guesses():
    table = running_error(np.array([10.0, 100.0, 20.0, 200.0, 30.0]), np.array([0, 5, 0, 5, 0]))
    assert table["mean"].to_list() == [10, 55, 57.5, 82.5, 85]
    assert table["low"].is_null().to_list() == [True, True, True, False, False]
    half = 1.96 * np.sqrt(100 / 3 + 5000 / 2) / 2  # variances of the bands' means, over two bands squared
    assert table["high"][4] - 85 == pytest.approx(half)


def test_a_cell_is_held_against_its_price_band():
    table = table_of(800)
    cells = grid(table)
    assert cells["items"].sum() == 800
    band = BAND_NAMES[3]
    own = table.filter(pl.Series(price_bands(table)) == 3)
    row = cells.filter((pl.col("band") == band) & (pl.col("category") == "Toys")).row(0, named=True)
    toys = own.filter(pl.col("category") == "Toys")["error"].mean()
    assert row["error"] == pytest.approx(toys)
    assert row["ratio"] == pytest.approx(toys / own["error"].mean())


def test_small_categories_are_one_row_of_the_grid():
    assert grid(table_of(100), most_categories=1)["category"].n_unique() == 2


def test_a_weak_category_is_found_and_dear_items_are_not_taken_for_one():
    found = weak_parts(table_of(2000, weak="Toys"))
    assert found["part"][0] == "category Toys"
    assert found["low"][0] > 1
    dear = table_of(2000).with_columns(
        category=pl.when(pl.col("price") > 60).then(pl.lit("Dear")).otherwise(pl.lit("Cheap"))
    )
    assert "category Dear" not in weak_parts(dear)["part"]


def test_among_even_errors_a_weak_part_is_rarely_found():
    extra = {"store": pl.lit("A"), "characters": pl.col("price").rank().cast(pl.Int32) % 97}
    alarms = sum(len(weak_parts(table_of(400, seed=seed, **extra))) > 0 for seed in range(60))
    assert alarms <= 8  # 5 % of 60 are expected, and more than 8 in one of 100


def test_parts_of_texts_stores_and_stated_numbers_are_looked_at():
    count = 1200
    columns = {
        "store": pl.Series(["Acme" if place % 3 else "" for place in range(count)]),
        "characters": pl.Series(np.arange(count) % 100),
        "weight_pounds": pl.Series([1.0 if place % 2 else None for place in range(count)]),
    }
    table = table_of(count, **columns)
    heavier = pl.when(pl.col("weight_pounds").is_null()).then(4 * pl.col("error")).otherwise("error")
    assert weak_parts(table.with_columns(error=heavier))["part"].to_list() == ["no weight stated"]


def test_no_items_and_few_items_have_no_weak_parts():
    assert weak_parts(table_of(500).clear()).is_empty()
    assert weak_parts(table_of(20)).is_empty()
