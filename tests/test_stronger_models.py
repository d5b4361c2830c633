"""What the models that read everything promise beyond the contract: no own price leaks, numbers are read as meant."""

import numpy as np
import polars as pl
import pytest

from pricer.models.bins import Bins, distribution_median
from pricer.models.boosting import Reader
from pricer.models.folding import LabelMeans, deal_folds, means_out_of_fold, ridge_out_of_fold
from pricer.models.hashed import Rarity, View
from pricer.models.measures import frequent_details, measure_count, measures
from pricer.models.neighbours import Neighbours, Pool, weighted_median

WORDS = View("full_text", "words", 1, 1, least_items=1)


def items_saying(*texts: str, details: str = "{}") -> pl.DataFrame:
    """Items of these titles and texts."""
    numbers = {name: pl.Series([None] * len(texts), dtype=pl.Float64) for name in ("weight_pounds", "rank")}
    words = {"title": texts, "full_text": texts, "category": ["lamps"] * len(texts), "store": [""] * len(texts)}
    return pl.DataFrame(words | {"details": [details] * len(texts)} | numbers)


# Measures


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("a lamp of 32 oz", 2.0),
        ("Set of 12 lamps", 12.0),
        ("cable, 6 ft", 72.0),
        ("drive 2TB", 2000.0),
        ("box 10 x 20 x 30 cm", 10 * 20 * 30 * 0.393701**3),
        ("made in 1987", 1987.0),
    ],
)
def test_numbers_are_read_with_their_units(text, number):
    assert np.isclose(measures(items_saying(text), []), number, rtol=1e-5).any()


def test_details_are_read_by_name_and_in_one_unit():
    table = pl.concat([items_saying("a", details=f'{{"Capacity": "{size}"}}') for size in ("500 GB", "2 TB", "none")])
    assert frequent_details(table) == ["Capacity"]
    np.testing.assert_array_equal(measures(table, ["Capacity"])[:, -1], [500, 2000, np.nan])


def test_details_within_details_are_read_too():
    table = items_saying("a", details='{"Size": {"Width": "3 ft"}, "Pieces": [1, 2], "Big": 1e300}')
    names = ["Width", "Pieces", "Big"]
    assert measures(table, names)[0, -3:].tolist()[:2] == [36.0, 2.0]
    assert measures(table, names).shape == (1, measure_count(names))


# No own price


def test_folds_respect_groups():
    groups = np.repeat(np.arange(30), 3)
    folds = deal_folds(groups, 5, seed=0)
    assert all(len(set(folds[groups == group])) == 1 for group in range(30))
    assert set(np.bincount(folds)) == {18}


def test_no_column_of_the_table_knows_the_price_of_its_own_item():
    random = np.random.default_rng(0)
    texts = [f"item {' '.join(map(str, random.integers(0, 40, 6)))}" for _ in range(60)]
    train, log_prices = items_saying(*texts), random.normal(3, 1, 60)
    changed = log_prices.copy()
    changed[7] += 1000
    (_, before), (_, after) = (Reader.learn(train, prices, 0, lambda step: None) for prices in (log_prices, changed))
    np.testing.assert_array_equal(before[7], after[7])
    assert (before != after)[np.arange(60) != 7].any()


def test_what_a_group_costs_is_not_told_to_its_members():
    train = items_saying("lamp red", "lamp red", "lamp blue", "chair").with_columns(group=pl.Series([1, 1, 2, 3]))
    _, weights = Rarity.learn(WORDS, train)
    pool, places = Pool.draw(weights, np.log([10.0, 10, 20, 30]), 10, seed=0)
    groups = train["group"].to_numpy()
    nearest = pool.nearest(weights, 2, (groups, groups[places]))
    assert nearest.log_prices[0, 0] == np.log(20.0)
    assert np.isnan(nearest.log_prices[3]).all()  # a chair is like none of the others


def test_a_guess_out_of_fold_is_that_of_the_others():
    train = items_saying("lamp", "lamp", "chair", "chair")
    _, weights = Rarity.learn(WORDS, train)
    guesses, line = ridge_out_of_fold(weights, np.array([1.0, 3, 5, 7]), np.array([0, 1, 0, 1]), alpha=1e-6)
    np.testing.assert_allclose(guesses, [3, 1, 7, 5], atol=1e-3)
    np.testing.assert_allclose(line.guess(weights), [2, 2, 6, 6], atol=1e-3)


def test_a_label_of_few_items_is_drawn_to_the_mean_of_all():
    means = LabelMeans.learn(["a"] * 45 + ["b"], np.array([1.0] * 45 + [47.0]))
    assert means.mean == 2.0
    np.testing.assert_allclose(means.encode(["a", "b", "c"]), [[55 / 50, 45], [57 / 6, 1], [2, 0]])
    out = means_out_of_fold(["a", "a", "b"], np.array([1.0, 2, 9]), np.array([0, 1, 1]))
    assert out[2, 1] == 0 and out[0, 1] == 1


# Neighbours


def test_neighbours_say_the_middle_of_what_they_cost():
    train = items_saying("red lamp", "red lamp", "red lamp", "oak chair").with_columns(
        price=pl.Series([8.0, 9, 70, 500])
    )
    model = Neighbours(neighbours=3).fit(train)
    np.testing.assert_allclose(model.predict(items_saying("a red lamp", "a sofa")), [9.0, np.sqrt(9 * 70)])


def test_a_weighted_median_has_half_of_the_weight_on_either_side():
    values = np.array([[1.0, 2, 3], [3, 1, np.nan], [np.nan, np.nan, np.nan]])
    assert weighted_median(values, np.array([[1.0, 1, 1], [5, 1, 9], [1, 1, 1]])).tolist()[:2] == [2, 3]


# Distributions


def test_the_median_of_a_distribution_lies_within_its_slot():
    chances = np.zeros((3, 1000))
    chances[0, 24] = 1
    chances[1, [10, 20]] = 0.25, 0.75
    chances[2, 0] = 1
    np.testing.assert_allclose(distribution_median(chances), [24, 19.5 + 1 / 3, 0])


def test_dollars_that_train_prefers_stay_likelier():
    train = items_saying(*["lamp"] * 40).with_columns(price=pl.Series([19.0] * 30 + [18.0] * 10))
    chances = Bins(bins=2, width=4, epochs=1).fit(train).predict_distribution(items_saying("lamp"))
    assert chances[0, 19] > chances[0, 18] > 0 == chances[0, 17]
