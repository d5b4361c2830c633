import multiprocessing
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.curation.index import build_index, open_index
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import make_plan
from pricer.draws import SAMPLE_STREAM, draw, splitmix64

CATEGORIES = ("Toys", "Tools", "(none)")


def pool_table(size, seed=0):
    random = np.random.default_rng(seed)
    prices = np.round(random.lognormal(3, 1, size).clip(0.5, 999.49), 2)
    columns = {"key": splitmix64(np.arange(size, dtype=np.uint64)), "slot": np.rint(prices).astype(np.int16)}
    columns |= {"category": random.choice(CATEGORIES, size), "price": prices, "tokens": random.integers(1, 160, size)}
    return pl.DataFrame(columns).with_columns(pl.col("tokens").cast(pl.Int32), pl.col("category").cast(pl.String))


def index_of(table, seed=42):
    coded = table.with_columns(pl.col("category").cast(pl.Enum(CATEGORIES)).to_physical())
    return build_index(*(column.to_numpy() for column in coded), CATEGORIES, seed)


def fake_catalogue(folder, table):
    """What an index needs of a catalogue: its folder, its categories, its pool."""
    return SimpleNamespace(folder=folder, manifest=SimpleNamespace(categories=CATEGORIES), pool=lambda: table.lazy())


@given(st.integers(0, 300), st.integers(0, 2**63 - 1))
def test_items_stand_by_slot_then_category_then_draw(size, seed):
    index = index_of(pool_table(size), seed)
    segments = np.repeat(np.arange(3000), np.diff(index.starts))
    np.testing.assert_array_equal(np.lexsort((index.draws, segments)), np.arange(size))
    np.testing.assert_array_equal(index.draws, draw(index.keys, SAMPLE_STREAM, seed))


@given(st.integers(0, 300), st.integers(0, 9))
def test_the_order_of_the_pool_changes_nothing(size, seed):
    table = pool_table(size)
    index, other = index_of(table), index_of(table.sample(fraction=1, shuffle=True, seed=seed))
    for name in ("starts", "draws", "keys", "price_sums", "token_sums"):
        np.testing.assert_array_equal(getattr(index, name), getattr(other, name))


def test_counts_prices_and_tokens_are_those_of_the_table():
    table = pool_table(2000)
    index = index_of(table)
    for (slot, category), items in table.group_by("slot", "category"):
        cell = slot, CATEGORIES.index(category)
        assert index.counts[cell] == len(items) and index.tokens[cell] == items["tokens"].sum()
        assert index.prices[cell] == pytest.approx(items["price"].sum())
    assert index.counts.sum() == len(index) == 2000


def test_a_stored_index_plans_as_a_fresh_one(tmp_path):
    table, recipe = pool_table(2000), Recipe(cutoff=240, cap=7, weights={"Toys": 0.2}, seed=3)
    stored = open_index(fake_catalogue(tmp_path, table), seed=3)
    plan, fresh = make_plan(stored, recipe), make_plan(index_of(table, 3), recipe)
    np.testing.assert_array_equal(plan.thresholds, fresh.thresholds)
    np.testing.assert_array_equal(plan.counts, fresh.counts)
    assert plan.price_mean == fresh.price_mean


def test_an_index_is_stored_once_per_seed_in_at_most_40_bytes_an_item(tmp_path):
    catalogue = fake_catalogue(tmp_path, pool_table(20_000))
    for seed in (42, 42, 7):
        open_index(catalogue, seed)
    catalogue.pool = None  # a stored index reads no item
    assert len(open_index(catalogue)) == 20_000
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == [".staging", "42", "7"]
    assert sum(file.stat().st_size for file in (tmp_path / "index" / "42").iterdir()) < 40 * 20_000


def test_a_stored_index_is_mapped_and_cannot_be_written(tmp_path):
    index = open_index(fake_catalogue(tmp_path, pool_table(10)))
    with pytest.raises(ValueError, match="read-only"):
        index.draws[0] = 1


def open_at_once(folder, gate):
    catalogue = fake_catalogue(folder, pool_table(5000))
    gate.wait()
    open_index(catalogue)


def test_processes_that_build_at_once_leave_one_whole_index(tmp_path):
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(3)
    builders = [context.Process(target=open_at_once, args=(tmp_path, gate)) for _ in range(3)]
    for process in builders:
        process.start()
    for process in builders:
        process.join()
    assert [process.exitcode for process in builders] == [0, 0, 0]
    stored = open_index(fake_catalogue(tmp_path, None))
    np.testing.assert_array_equal(stored.draws, index_of(pool_table(5000)).draws)
    assert list((tmp_path / "index" / ".staging").iterdir()) == []


def test_an_empty_pool_has_an_index(tmp_path):
    index = open_index(fake_catalogue(tmp_path, pool_table(0)))
    assert len(index) == 0 and index.counts.shape == (1000, 3)
