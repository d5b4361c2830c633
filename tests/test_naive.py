"""The notebooks' split of a sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.curation.index import build_index
from pricer.curation.naive import EXAM, TRAIN, VALIDATION, naive_sizes, naive_split, sample_keys, shuffle_numbers
from pricer.curation.recipe import Recipe, Target
from pricer.curation.sampler import in_sample, make_plan
from pricer.errors import PricerError


def pool(items=2_000, seed=42):
    """Keys, slots and codes of a pool in three categories, and its index."""
    rng = np.random.default_rng(1)
    keys = rng.integers(2**64, size=items, dtype=np.uint64)
    slots, codes = rng.integers(0, 60, items), rng.integers(0, 3, items)
    index = build_index(keys, slots, codes, slots.astype(float), np.ones(items, dtype=int), ("a", "b", "c"), seed)
    return keys, slots, codes, index


RECIPES = [
    Recipe(cutoff=40, cap=5, weights={"a": 0.1, "b": 0.0}),
    Recipe(cutoff=1, cap=5),
    Recipe(cutoff=1000, target=Target(shape="flat", size=300)),
    Recipe(cutoff=1000, target=Target(shape="by-price", size=300)),
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_keys_of_a_sample_are_read_off_its_plan(recipe):
    keys, slots, codes, index = pool()
    plan = make_plan(index, recipe)
    kept = keys[in_sample(keys, slots, codes, plan)]
    assert len(kept) and np.array_equal(np.sort(sample_keys(index, plan)), np.sort(kept))


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_parts_have_the_sizes_that_were_stated(recipe):
    index = pool()[-1]
    plan = make_plan(index, recipe)
    split = naive_split(index, plan)
    parts = split.parts(sample_keys(index, plan))
    assert [int((parts == part).sum()) for part in (TRAIN, VALIDATION, EXAM)] == [*naive_sizes(plan.size)]
    assert (split.train, split.validation, split.exam) == naive_sizes(plan.size) and split.items == plan.size


def test_the_shuffle_depends_on_the_seed_alone():
    keys = pool()[0]
    numbers = shuffle_numbers(keys, 42)
    assert len(set(numbers.tolist())) == len(keys)
    assert np.array_equal(shuffle_numbers(keys[::-1], 42)[::-1], numbers)
    assert abs(np.corrcoef(numbers.astype(float), shuffle_numbers(keys, 43).astype(float))[0, 1]) < 0.1
    assert abs(np.corrcoef(numbers.astype(float), np.arange(len(keys)))[0, 1]) < 0.1


@given(st.integers(3, 3_000_000))
def test_every_sample_has_an_item_for_each_part(items):
    train, validation, exam = naive_sizes(items)
    assert train >= exam == validation >= 1 and train + validation + exam == items
    assert naive_sizes(items + 1)[2] >= exam


def test_a_sample_of_two_items_cannot_be_split():
    *_, index = pool()
    plan = make_plan(index, Recipe(cutoff=1000, target=Target(shape="flat", size=2)))
    with pytest.raises(PricerError, match="a split needs at least 3 items, the recipe keeps 2"):
        naive_split(index, plan)
