import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.curation.measures import effective_size, evenness, spikes, total_variation
from pricer.curation.recipe import Recipe
from tests.test_sampler import Pool, any_recipes, pools, splitmix64

cells = st.lists(st.integers(0, 50), min_size=1, max_size=20).map(np.array)


def by_slot(**sizes):
    table = np.zeros(1000, dtype=np.int64)
    for slot, items in sizes.items():
        table[int(slot[1:])] = items
    return table


# Effective size


def test_a_sample_of_the_market_s_shape_is_worth_its_items():
    assert effective_size(np.array([900, 100]), np.array([90, 10])) == pytest.approx(100)


def test_a_sample_of_another_shape_is_worth_less():
    assert effective_size(np.array([900, 100]), np.array([100, 100])) == pytest.approx(1000**2 / (8100 + 100))


def test_a_cell_that_the_sample_left_out_says_nothing():
    assert effective_size(np.array([900, 100]), np.array([50, 0])) == pytest.approx(50)
    assert effective_size(np.array([900, 100]), np.array([0, 0])) == 0


@given(cells, st.integers(0, 99))
def test_no_sample_is_worth_more_than_its_items(before, seed):
    after = np.random.default_rng(seed).integers(0, before + 1)
    assert effective_size(before, after) <= after.sum() * (1 + 1e-9)


def test_reweighting_many_samples_varies_as_the_effective_size_says():
    """The variance of a reweighted mean over that of one draw from the market is one over the effective size."""
    before, after = np.array([8000, 1000, 1000]), np.array([100, 200, 50])
    random = np.random.default_rng(0)
    values = random.normal(size=(4000, after.sum())) * 3 + 5
    weights = np.repeat(before / after, after)
    variance = (values @ weights / weights.sum()).var()
    assert 9 / variance == pytest.approx(effective_size(before, after), rel=0.1)


# Evenness


def test_equal_parts_are_as_even_as_their_number():
    assert evenness(np.array([7, 7, 7, 0, 7])) == pytest.approx(4)
    assert evenness(np.array([0, 9])) == 1
    assert evenness(np.array([0, 0])) == evenness(np.zeros(0)) == 0


def test_unequal_parts_are_less_even():
    assert evenness(np.array([1, 3])) == pytest.approx(4 / 3 ** (3 / 4))


@given(cells, st.integers(1, 9))
def test_evenness_does_not_depend_on_size(counts, factor):
    assert evenness(counts * factor) == pytest.approx(evenness(counts))
    assert evenness(counts) <= (counts > 0).sum() * (1 + 1e-9)


# Spikes


def test_a_slot_far_above_its_neighbours_is_a_spike_with_what_is_left_of_it():
    before = np.full(1000, 50)
    before[[149, 120]] = 400, 80
    after = np.minimum(before, 100)
    (spike,) = (spike for spike in spikes(before, after) if spike.slot not in (299, 399, 499, 999))
    assert (spike.slot, spike.before, spike.after, spike.times_before, spike.times_after) == (149, 400, 100, 8, 2)


def test_the_first_notebook_s_prices_are_told_wherever_they_hold_an_item():
    before = by_slot(s299=1, s999=3, s500=2)
    assert [(spike.slot, spike.before, spike.after) for spike in spikes(before, before // 2)] == [
        (299, 1, 0),
        (999, 3, 1),
    ]


def test_the_falling_slope_of_cheap_slots_is_no_row_of_spikes():
    slope = (100_000 / (np.arange(1000) + 1) ** 2).astype(int)
    assert [spike.slot for spike in spikes(slope, slope)] == [299]  # told always, as it holds an item


def test_where_nothing_stands_around_a_spike_its_height_is_infinite():
    (spike,) = spikes(by_slot(s700=90), by_slot())
    assert spike.times_before == float("inf") and spike.times_after == 0


def test_at_most_sixteen_spikes_are_told_the_highest_ones():
    before = np.full(1000, 100)
    before[50:950:20] = np.arange(1000, 1450, 10)
    told = spikes(before, before)
    assert len(told) == 16 and [spike.slot for spike in told] == sorted(spike.slot for spike in told)
    assert {spike.before for spike in told if spike.slot not in (299, 399, 499, 999)} == set(range(1330, 1450, 10))


# What a plan hands on


def test_a_plan_measures_slots_1_to_999():
    slots = np.array([0, 0, 0, 5, 5, 5, 5, 300, 300])
    pool = Pool(splitmix64(np.arange(9, dtype=np.uint64)), slots, np.array([0] * 7 + [1] * 2), ("a", "b"))
    plan = pool.plan(Recipe(cutoff=240, cap=2))
    assert plan.price_evenness == plan.category_evenness == pytest.approx(2)
    assert plan.market_price_evenness == plan.market_category_evenness == pytest.approx(3 / 4 ** (1 / 3))
    assert plan.effective_size == pytest.approx(36 / 10) and plan.market_covered == 1
    assert pool.plan(Recipe(cutoff=240, cap=2, weights={"b": 0})).market_covered == pytest.approx(4 / 6)


@given(pools, any_recipes)
def test_measures_of_any_plan_stay_within_their_bounds(pool, recipe):
    plan = pool.plan(recipe)
    assert 0 <= plan.effective_size <= plan.size * (1 + 1e-9)
    assert 0 <= plan.market_covered <= 1 and 0 <= plan.price_distance <= 1
    assert plan.category_evenness <= len(pool.categories) * (1 + 1e-9)
    assert plan.shortfall >= 0 and all(spike.after <= spike.before for spike in plan.spikes)


def test_total_variation_is_half_the_sum_of_differences():
    assert total_variation(np.array([1, 1, 2]), np.array([2, 1, 1])) == 0.25
    assert total_variation(np.array([1, 2]), np.array([0, 0])) == 0
