import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.curation.difference import difference
from pricer.curation.recipe import Recipe, Target
from pricer.curation.sampler import make_plan
from tests.test_sampler import Pool, any_recipes, changed, count, make_pool, pools, tied_keys


def differ(pool, recipe, other):
    index = pool.index(recipe.seed)
    return difference(index, make_plan(index, recipe), pool.plan(other))


def check_by_key(pool, recipe, other):
    """The difference must be what looking at every item gives."""
    first, second = pool.kept(pool.plan(recipe)), pool.kept(pool.plan(other))
    found = differ(pool, recipe, other)
    np.testing.assert_array_equal(found.both, count(pool, first & second))
    np.testing.assert_array_equal(found.added, count(pool, second & ~first))
    np.testing.assert_array_equal(found.removed, count(pool, first & ~second))


@given(pools, any_recipes, any_recipes)
def test_two_recipes_of_one_seed_differ_as_their_items_do(pool, recipe, other):
    check_by_key(pool, recipe, changed(other, seed=recipe.seed))


@given(pools, any_recipes, any_recipes)
def test_two_recipes_of_two_seeds_differ_as_their_items_do(pool, recipe, other):
    check_by_key(pool, recipe, other)


@given(pools, any_recipes)
def test_a_recipe_adds_and_removes_nothing_beside_itself(pool, recipe):
    found = differ(pool, recipe, recipe)
    assert not found.added.any() and not found.removed.any()
    assert found.kept == pool.plan(recipe).size


@pytest.mark.parametrize("seed", [42, 7])
@pytest.mark.parametrize("codes", [(0, 0), (0, 1), (1, 0)])
def test_ties_are_told_apart(codes, seed):
    pool = Pool(np.array(tied_keys(), dtype=np.uint64), np.array([7, 7]), np.array(codes), ("a", "b"))
    for size in (1, 2):
        by_price = Recipe(cutoff=1000, target=Target(shape="by-price", size=size), seed=seed)
        check_by_key(pool, Recipe(cutoff=240, cap=1), by_price)
        check_by_key(pool, by_price, Recipe(cutoff=240, cap=1))


def test_two_hundred_thousand_items_are_told_apart_exactly():
    pool = make_pool(200_000, categories=8)
    by_price = Recipe(cutoff=1000, target=Target(shape="by-price", size=60_000), seed=7)
    check_by_key(pool, Recipe(cutoff=240, cap=100), by_price)


def test_a_difference_is_told_by_slot_and_by_category():
    pool = make_pool(3000, categories=2)
    found = differ(pool, Recipe(cutoff=240, cap=5), Recipe(cutoff=240, cap=7, weights={"b": 0}))
    by_slot, by_category = found.by_slot(), found.by_category()
    assert by_slot["slot"].to_list() == list(range(1000))
    assert by_category["category"].to_list() == ["a", "b"]
    for name in ("both", "added", "removed"):
        table = getattr(found, name)
        assert by_slot[name].to_list() == table.sum(axis=1).tolist()
        assert by_category[name].to_list() == table.sum(axis=0).tolist()
    assert by_category["both"][1] == by_category["added"][1] == 0


def test_an_index_of_another_seed_and_plans_of_two_pools_are_refused():
    pool, recipe = make_pool(10), Recipe(cutoff=240, cap=1)
    with pytest.raises(ValueError, match="first plan's seed 42, got one of 1"):
        difference(pool.index(1), pool.plan(recipe), pool.plan(recipe))
    with pytest.raises(ValueError, match="plans must be of the index's pool"):
        difference(pool.index(42), pool.plan(recipe), make_pool(11).plan(recipe))


@given(st.sampled_from([("a",), ()]))
def test_empty_pools_do_not_differ(categories):
    pool = make_pool(0, categories=len(categories))
    assert differ(pool, Recipe(cutoff=240, cap=1), Recipe(cutoff=240, cap=1, seed=2)).kept == 0


@given(pools, any_recipes, any_recipes)
def test_price_bands_add_slots_up(pool, recipe, other):
    found = differ(pool, recipe, other)
    slots = found.by_slot()
    for row in found.by_band().iter_rows(named=True):
        inside = slots.filter(pl.col("slot").is_between(row["lowest"], row["highest"]))
        assert all(inside[name].sum() == row[name] for name in ("both", "added", "removed"))
