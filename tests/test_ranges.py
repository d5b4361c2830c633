"""Ranges keep what they promise, and a strip of coverage notices those that do not."""

from statistics import NormalDist

import numpy as np
import polars as pl
import pytest

from pricer.evaluation.ranges import (
    LEVELS,
    conformal_quantiles,
    conformal_ranges,
    coverage,
    cumulated,
    distribution_ranges,
    ranges_between,
    ranked_probability_score,
    read_point,
    wilson,
)

CATEGORIES = np.array(["Tools", "Toys", "Office"])


def market(count: int, seed: int, spread: float = 0.4) -> pl.DataFrame:
    """Prices and guesses of one law: dear items are guessed worse, and so are toys."""
    random = np.random.default_rng(seed)
    price = random.lognormal(3.5, 1.0, count).clip(1, 999)
    category = CATEGORIES[random.integers(3, size=count)]
    noise = random.normal(0.1, spread, count) * (1 + (category == "Toys")) * (0.7 + 0.3 * (price > 50))
    return pl.DataFrame({"price": price, "guess": (price * np.exp(noise)).clip(1, 999), "category": category})


def ranges_of(exam: pl.DataFrame, validation: pl.DataFrame, level: float):
    return conformal_ranges(exam["guess"].to_numpy(), exam["category"].to_list(), validation, level)


@pytest.mark.parametrize("level", LEVELS)
def test_conformal_ranges_of_exchangeable_data_cover_what_they_promise(level):
    seen = [
        coverage(exam["price"].to_numpy(), ranges_of(exam, market(5000, 100 + seed), level)).covered
        for seed, exam in ((seed, market(5000, seed)) for seed in range(6))
    ]
    assert np.mean(seen) == pytest.approx(level, abs=0.02)


def test_they_cover_each_category_and_band_alike():
    exam = market(20_000, 1)
    ranges = ranges_of(exam, market(10_000, 2), 0.8)
    price = exam["price"].to_numpy()
    inside = pl.Series("inside", (ranges.low <= price) & (price <= ranges.high))
    by_category = exam.with_columns(inside).group_by("category").agg(pl.col("inside").mean())
    assert by_category["inside"].to_numpy() == pytest.approx(0.8, abs=0.03)
    width = exam.with_columns(ratio=pl.Series(ranges.high / ranges.low)).group_by("category").agg(pl.median("ratio"))
    ratio_of = dict(width.iter_rows())
    assert ratio_of["Toys"] > 1.5 * ratio_of["Tools"]


def test_a_validation_of_another_law_is_noticed():
    exam = market(1500, 3)
    calm = market(1500, 4, spread=0.15)
    found = [coverage(exam["price"].to_numpy(), ranges_of(exam, calm, level)) for level in LEVELS]
    assert [each.keeps_promise for each in found] == [False] * len(LEVELS)
    honest = [coverage(exam["price"].to_numpy(), ranges_of(exam, market(1500, 5), level)) for level in LEVELS]
    assert sum(each.keeps_promise for each in honest) >= len(LEVELS) - 1


def test_promises_that_are_kept_are_seldom_called_broken():
    kept = []
    for seed in range(60):
        exam, validation = market(1000, 1000 + seed), market(400, 2000 + seed)
        kept.append(coverage(exam["price"].to_numpy(), ranges_of(exam, validation, 0.8)).keeps_promise)
    assert sum(kept) >= 53  # 57 of 60 are expected


def test_prices_at_the_very_end_of_a_range_are_within():
    validation = pl.DataFrame({"price": [9.99] * 100, "guess": [12.34] * 100, "category": ["Tools"] * 100})
    ranges = ranges_of(validation, validation, 0.8)
    assert coverage(validation["price"].to_numpy(), ranges).covered == 1


def test_cells_too_small_for_distances_of_their_own_do_not_break_the_promise():
    def mixed(seed):
        easy, hard = market(600, seed, spread=0.05), market(240, seed + 1, spread=0.8)
        hard = hard.with_columns(category=pl.Series([f"rare {place % 12}" for place in range(240)]))
        return pl.concat([easy, hard])

    seen = []
    for seed in range(0, 24, 2):
        exam = mixed(seed)
        seen.append(coverage(exam["price"].to_numpy(), ranges_of(exam, mixed(100 + seed), 0.8)).covered)
    assert np.mean(seen) == pytest.approx(0.8, abs=0.02)


def test_a_small_cell_takes_what_its_band_or_all_have():
    validation, exam = market(300, 6), market(50, 7)
    unseen = exam.with_columns(category=pl.lit("Never seen"))
    assert np.isfinite(ranges_of(unseen, validation, 0.8).low).all()


def test_what_validation_cannot_promise_is_not_given():
    exam = market(10, 8)
    ranges = ranges_of(exam, market(30, 9), 0.95)
    assert np.isnan(ranges.low).all()
    found = coverage(exam["price"].to_numpy(), ranges)
    assert (found.items, found.covered, found.keeps_promise) == (0, None, None)
    assert np.isfinite(ranges_of(exam, market(39, 9), 0.95).low).all()
    assert np.isnan(ranges_of(exam, market(0, 9), 0.5).low).all()


def test_no_answers_of_validation_do_not_count_and_of_the_exam_have_no_range():
    validation = market(200, 10).with_columns(guess=pl.Series([None, float("nan"), *market(198, 10)["guess"]]))
    exam = market(3, 11).with_columns(guess=pl.Series([float("nan"), 20.0, 4999.0]))
    ranges = ranges_of(exam, validation, 0.8)
    assert np.isnan(ranges.low[0])
    assert ranges.low[1] < 20 < ranges.high[1]
    assert ranges.high[2] <= 999.5


def slots(*chances: dict[int, float]) -> np.ndarray:
    table = np.zeros((len(chances), 1000))
    for row, chance in zip(table, chances, strict=True):
        for slot, share in chance.items():
            row[slot] = share
    return table


def test_ranges_and_points_of_a_distribution():
    table = slots({10: 0.05, 20: 0.5, 30: 0.4, 900: 0.05}, {7: 1.0})
    ranges = distribution_ranges(table, 0.8)
    assert list(zip(ranges.low, ranges.high, strict=True)) == [(19.5, 30.5), (6.5, 7.5)]
    assert distribution_ranges(table, 0.95).low[0] == 9.5
    assert read_point(table, "mean").tolist() == pytest.approx([67.5, 7.0])
    assert read_point(table, "mode").tolist() == [20.0, 7.0]
    assert read_point(table, "top 3").tolist() == pytest.approx([(10 + 12 + 0.5) / 0.95, 7.0])  # of equals the lower
    assert read_point(table, "quantile", 0.5).tolist() == [20.0, 7.0]
    assert read_point(table, "median", 0.9).tolist() == [20.0, 7.0]
    assert read_point(table, "quantile", 0.9).tolist() == [30.0, 7.0]
    assert read_point(table, "quantile", 0.02)[0] == 10.0


def stated(items: pl.DataFrame, spread: float) -> np.ndarray:
    """Distributions of a model that takes log prices to be spread so much around its guesses."""
    edges = np.log(np.maximum(np.arange(1001) - 0.5, 0.1))
    reached = NormalDist().cdf
    table = np.vectorize(reached)((edges - np.log(items["guess"].to_numpy())[:, None]) / spread)
    chances = np.diff(table, axis=1)
    return chances / chances.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("spread", [0.2, 1.0])  # bold and timid
def test_distributions_keep_their_promise_once_they_are_held_against_validation(spread):
    exam, validation = market(1500, 14), market(1500, 15)
    reached, own = cumulated(stated(exam, spread)), cumulated(stated(validation, spread))
    price, guesses, categories = exam["price"].to_numpy(), exam["guess"].to_numpy(), exam["category"].to_list()
    for level in (0.5, 0.8, 0.9):
        alone = ranges_between(reached, level)
        moved = conformal_quantiles(alone, guesses, categories, ranges_between(own, level), validation)
        assert abs(coverage(price, alone).covered - level) > 0.03
        assert coverage(price, moved).covered == pytest.approx(level, abs=0.02)
        assert coverage(price, moved).score < coverage(price, alone).score
    few = conformal_quantiles(alone, guesses, categories, ranges_between(own[:10], 0.9), validation[:10])
    assert np.isnan(few.low).all()


def test_half_precision_distributions_are_read_as_if_they_added_up():
    table = np.full((1, 1000), 1 / 1000).astype(np.float16)
    assert read_point(table, "quantile", 0.5)[0] == pytest.approx(500, abs=2)
    ranges = distribution_ranges(table, 0.9)
    assert (ranges.low[0], ranges.high[0]) == pytest.approx((49.5, 949.5), abs=2)


def test_the_ranked_probability_score_of_a_certain_guess_is_its_error():
    table = slots({100: 1.0}, {40: 0.5, 60: 0.5})
    assert ranked_probability_score(table, np.array([130.0, 50.0])).tolist() == [30.0, 5.0]


def test_the_interval_score_prefers_honest_ranges():
    exam, validation = market(3000, 12), market(3000, 13)
    honest = ranges_of(exam, validation, 0.8)
    price = exam["price"].to_numpy()
    score = coverage(price, honest).score
    for factor in (0.5, 2.0):  # bold and timid
        middle = exam["guess"].to_numpy()
        other = type(honest)(0.8, middle * (honest.low / middle) ** factor, middle * (honest.high / middle) ** factor)
        assert coverage(price, other).score > score


def test_wilson_is_the_known_interval():
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10)[0] == pytest.approx(0)
    assert wilson(1, 10)[1] == pytest.approx(1)
