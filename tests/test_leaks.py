"""The leak lens against counting by hand, over all shuffles, and against the dataset that is then made."""

from itertools import combinations

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from pricer.catalogue.build import build_catalogue
from pricer.catalogue.store import Catalogue
from pricer.curation.dataset import make_dataset
from pricer.curation.index import open_index
from pricer.curation.leaks import find_leaks, grouped_items, leak_probability
from pricer.curation.recipe import Recipe, Target
from pricer.curation.sampler import in_sample, make_plan
from pricer.items import ITEM_SCHEMA
from tests.products import raw_row, write_rows

RECIPE = Recipe(cutoff=30, cap=4, weights={"Toys": 0.2})
RECIPES = [RECIPE, Recipe(cutoff=1, cap=1, seed=7), Recipe(cutoff=1000, target=Target(shape="by-price", size=200))]


@pytest.fixture
def catalogue(tmp_path) -> Catalogue:
    """600 items of which two thirds stand in groups of 2 to 9."""
    rows = [raw_row(n, price=5.0 + n % 40, main_category=("Toys", "Appliances")[n % 2]) for n in range(600)]
    made = build_catalogue([write_rows(tmp_path / "rows.jsonl", rows)], "table")
    for path in (made.folder / "items").glob("*.parquet"):
        items = pl.read_parquet(path)
        key = pl.col("key")
        groups = pl.when(key % 3 == 0).then(key).otherwise(key % 97).alias("group")
        pq.write_table(items.with_columns(groups).to_arrow().cast(ITEM_SCHEMA), path)
    return made


def looked_at(catalogue, recipe):
    index = open_index(catalogue, recipe.seed)
    plan = make_plan(index, recipe)
    return find_leaks(grouped_items(catalogue), index, plan), plan


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_lens_counts_what_the_naive_dataset_then_holds(catalogue, recipe):
    leaks, plan = looked_at(catalogue, recipe)
    dataset = make_dataset(catalogue, recipe, "naive", split="naive")
    exam, train = dataset.exam().collect(), dataset.train().collect()
    assert (leaks.split.exam, leaks.leaked) == (len(exam), dataset.manifest.leaked)
    assert leaks.share == exam["leaked"].mean() > 0
    mates = train.group_by("group").agg(pl.mean("price").alias("mean"))
    gaps = exam.filter("leaked").join(mates, on="group").select((pl.col("price") - pl.col("mean")).abs().mean())
    assert leaks.copy_error == pytest.approx(gaps.item())
    assert leaks.by_size["items"].sum() == plan.size


def test_the_rows_by_size_add_up_and_tell_of_groups_in_the_sample(catalogue):
    leaks, plan = looked_at(catalogue, RECIPE)
    pool = catalogue.pool().collect()
    codes = pool["category"].replace_strict({name: i for i, name in enumerate(plan.categories)}, return_dtype=pl.Int64)
    sample = pool.filter(in_sample(pool["key"].to_numpy(), pool["slot"].to_numpy(), codes.to_numpy(), plan))
    sizes = sample.select(pl.len().over("group").alias("size"))["size"].value_counts().sort("size")
    assert leaks.by_size.select("size", "items").rows() == sizes.rows()
    assert leaks.by_size["exam"].sum() == leaks.split.exam and leaks.by_size["leaked"].sum() == leaks.leaked
    assert leaks.by_size.filter(pl.col("size") == 1).select("leaked", "expected").row(0) == (0, 0)
    assert leaks.by_size["expected"].sum() / leaks.split.exam == pytest.approx(leaks.expected_share)


@pytest.mark.parametrize(("size", "train"), [(1, 4), (2, 4), (3, 4), (4, 4), (4, 2), (7, 5)])
def test_the_probability_is_that_of_counting_every_shuffle(size, train):
    others, mates = range(7), set(range(size - 1))
    draws = list(combinations(others, train))
    assert leak_probability(size, 8, train) == pytest.approx(np.mean([bool(mates & set(draw)) for draw in draws]))


def test_over_many_shuffles_the_share_is_as_expected(catalogue):
    found = [looked_at(catalogue, Recipe(cutoff=1, cap=1, seed=seed))[0] for seed in range(150)]
    assert len({leaks.expected_share for leaks in found}) == 1  # the natural recipe keeps the same items under any seed
    shares = np.array([leaks.share for leaks in found])
    assert abs(shares.mean() - found[0].expected_share) < 4 * shares.std() / np.sqrt(len(shares))


def test_examples_are_pairs_of_one_group(catalogue):
    leaks, _ = looked_at(catalogue, RECIPE)
    dataset = make_dataset(catalogue, RECIPE, "naive", split="naive")
    exam, train = dataset.exam().collect(), dataset.train().collect()
    assert 1 <= len(leaks.examples) <= 5
    groups = []
    for row in leaks.examples.iter_rows(named=True):
        [item] = exam.filter(pl.col("leaked") & (pl.col("title") == row["title"])).rows(named=True)
        [mate] = train.filter(pl.col("title") == row["train_title"]).rows(named=True)
        assert item["group"] == mate["group"] and (item["price"], mate["price"]) == (row["price"], row["train_price"])
        groups.append(item["group"])
    assert len(set(groups)) == len(groups)


def test_without_near_duplicates_nothing_leaks(tmp_path):
    rows = [raw_row(number, price=5 + number) for number in range(100)]
    catalogue = build_catalogue([write_rows(tmp_path / "rows.jsonl", rows)], "table")
    leaks, plan = looked_at(catalogue, Recipe(cutoff=1, cap=1))
    assert (leaks.leaked, leaks.expected_share, leaks.copy_error, len(leaks.examples)) == (0, 0, None, 0)
    assert leaks.by_size.rows() == [(1, plan.size, leaks.split.exam, 0, 0.0)]
