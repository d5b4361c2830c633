"""Target shapes: what every slot is given beside exact fractions, what the plan makes of it, and what falls short."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.curation.card import recipe_lines
from pricer.curation.recipe import Recipe, Target
from pricer.curation.targets import shape, target_caps
from pricer.draws import SAMPLE_STREAM, draw, splitmix64
from tests.test_sampler import Pool, by_price, changed, count, make_pool, pools, shapes

EXPONENTS = {"flat": 0, "log-uniform": -1, "power": 2}
pool_sizes = st.dictionaries(st.integers(0, 999), st.integers(0, 60), max_size=30)
targets = st.builds(Target, shape=st.sampled_from(sorted(EXPONENTS)), size=st.integers(1, 900), exponent=st.just(2))


def sizes_of(by_slot):
    sizes = np.zeros(1000, dtype=np.int64)
    sizes[list(by_slot)] = list(by_slot.values())
    return sizes


def with_target(target, cutoff=1000):
    return Recipe(cutoff=cutoff, target=target)


def naive_caps(by_slot, target, cutoff):
    """Water filling with fractions: while a slot gets more than it has, it gives all, and the others share again."""
    whole = {slot: size for slot, size in by_slot.items() if slot >= cutoff}
    open_ = {slot: size for slot, size in by_slot.items() if 1 <= slot < cutoff}
    left, full = max(0, target.size - sum(whole.values())), {}
    if left >= sum(open_.values()):
        return whole | open_
    weights = {slot: Fraction(slot) ** EXPONENTS[target.shape] for slot in open_}
    while True:
        level = Fraction(left - sum(full.values())) / sum(weights[slot] for slot in open_)
        over = {slot: size for slot, size in open_.items() if level * weights[slot] > size}
        if not over:
            break
        full |= over
        open_ = {slot: size for slot, size in open_.items() if slot not in over}
    parts = {slot: floor(level * weights[slot]) for slot in open_}
    most_cut_off = sorted(open_, key=lambda slot: (parts[slot] - level * weights[slot], slot))
    for slot in most_cut_off[: left - sum(full.values()) - sum(parts.values())]:
        parts[slot] += 1
    return whole | full | parts


@given(pool_sizes, targets, st.integers(1, 1000))
def test_every_slot_is_given_what_fractions_give_it(by_slot, target, cutoff):
    expected = sizes_of(naive_caps(by_slot, target, cutoff))
    np.testing.assert_array_equal(target_caps(sizes_of(by_slot), with_target(target, cutoff)), expected)


@given(pool_sizes, targets, st.integers(1, 1000))
def test_the_size_is_met_unless_the_pool_is_smaller_or_whole_slots_hold_more(by_slot, target, cutoff):
    sizes = sizes_of(by_slot)
    kept = target_caps(sizes, with_target(target, cutoff))
    assert kept.sum() == max(sizes[cutoff:].sum(), min(target.size, sizes[1:].sum()))
    assert kept[0] == 0 and (kept <= sizes).all()
    np.testing.assert_array_equal(kept[cutoff:], sizes[cutoff:])


@given(pool_sizes, st.integers(1, 1000), st.integers(1, 60))
def test_a_cap_gives_every_slot_the_cap_or_all_that_it_has(by_slot, cutoff, cap):
    sizes = sizes_of(by_slot)
    expected = np.where(np.arange(1000) < cutoff, np.minimum(sizes, cap), sizes)
    np.testing.assert_array_equal(target_caps(sizes, Recipe(cutoff=cutoff, cap=cap))[1:], expected[1:])


def test_by_price_no_slot_has_a_number_of_its_own():
    with pytest.raises(ValueError, match="one threshold for all slots"):
        target_caps(np.zeros(1000), with_target(Target(shape="by-price", size=1)))


def test_shapes_are_1_one_over_the_slot_and_powers():
    slots = [1, 2, 4, 999]
    assert shape(Target(shape="flat", size=1))[slots].tolist() == [1, 1, 1, 1]
    assert shape(Target(shape="log-uniform", size=1))[slots].tolist() == [1, 1 / 2, 1 / 4, 1 / 999]
    assert shape(Target(shape="power", size=1, exponent=2))[slots].tolist() == [1, 4, 16, 999**2]
    assert shape(Target(shape="by-price", size=1))[slots].tolist() == [0, (1 / 998) ** 2, (3 / 998) ** 2, 1]
    assert shape(Target(shape="by-price", size=1, exponent=0))[[0, *slots]].tolist() == [0, 1, 1, 1, 1]


# A larger size


@given(pool_sizes, st.integers(1, 900), st.integers(1, 1000))
def test_a_larger_flat_target_takes_nothing_from_any_slot(by_slot, size, cutoff):
    caps = [
        target_caps(sizes_of(by_slot), with_target(Target(shape="flat", size=size + more), cutoff)) for more in (0, 1)
    ]
    assert (caps[0] <= caps[1]).all()


@given(pool_sizes, targets, st.integers(1, 1000), st.integers(1, 60))
def test_a_larger_target_takes_at_most_one_item_from_a_slot(by_slot, target, cutoff, more):
    larger = target.model_copy(update={"size": target.size + more})
    caps = [target_caps(sizes_of(by_slot), with_target(each, cutoff)) for each in (target, larger)]
    assert (caps[0] <= caps[1] + 1).all()


def test_largest_remainders_may_take_one_item_back_so_shapes_other_than_flat_are_not_always_nested():
    sizes = sizes_of({1: 9, 3: 9, 5: 9})
    for size, expected in ((4, [1, 1, 2]), (5, [0, 2, 3])):
        caps = target_caps(sizes, with_target(Target(shape="power", size=size)))
        assert caps[[1, 3, 5]].tolist() == expected


# What a plan makes of it


@given(pools, shapes)
def test_every_slot_of_a_plan_holds_exactly_its_target(pool, recipe):
    possible = count(pool, recipe.weight_array(pool.categories)[pool.codes] > 0).sum(axis=1)
    np.testing.assert_array_equal(pool.plan(recipe).counts.sum(axis=1), target_caps(possible, recipe))


@given(pools, shapes)
def test_within_a_slot_a_target_draws_as_a_cap_does(pool, recipe):
    plan = pool.plan(recipe)
    for slot in np.flatnonzero(plan.counts.any(axis=1))[:3]:
        capped = changed(recipe, target=None, cap=int(plan.counts[slot].sum()), cutoff=1000)
        of_slot = pool.only(pool.slots == slot)
        assert of_slot.sample(capped) == set(of_slot.keys[of_slot.kept(plan)].tolist())


@given(pools, by_price)
def test_by_price_the_smallest_draws_over_price_and_weight_are_kept(pool, recipe):
    weights = shape(recipe.target)[pool.slots] * recipe.weight_array(pool.categories)[pool.codes]
    with np.errstate(divide="ignore"):
        scores = draw(pool.keys, SAMPLE_STREAM, recipe.seed) / weights
    ranked = pool.keys[np.argsort(scores)][: (weights > 0).sum()]
    assert pool.sample(recipe) == set(ranked[: recipe.target.size].tolist())


@given(pools, by_price, st.integers(1, 200))
def test_by_price_a_larger_sample_holds_the_smaller_one(pool, recipe, more):
    larger = changed(recipe, target=recipe.target.model_dump() | {"size": recipe.target.size + more})
    assert pool.sample(recipe) <= pool.sample(larger)


@given(pools, by_price)
def test_by_price_thresholds_are_the_limits_of_weight_1(pool, recipe):
    plan = pool.plan(changed(recipe, weights={}, default_weight=1.0))
    np.testing.assert_array_equal(plan.limits, np.repeat(plan.thresholds[:, None], len(pool.categories), axis=1))


@pytest.mark.parametrize("exponent", [0.5, 2, 4])
def test_by_price_three_hundred_thousand_items_come_out_exactly(exponent):
    pool = make_pool(300_000, categories=20, slots=(0, 1000))
    target = Target(shape="by-price", size=80_000, exponent=exponent)
    plan = pool.plan(Recipe(cutoff=1000, target=target, weights={"a": 0.05, "b": 0}))
    np.testing.assert_array_equal(plan.counts, count(pool, pool.kept(plan)))
    assert plan.size == 80_000 and plan.counts[:, 1].sum() == plan.counts[:2].sum() == 0


def test_by_price_slot_1_is_never_drawn():
    pool = make_pool(100, slots=(1, 3))
    plan = pool.plan(with_target(Target(shape="by-price", size=1000)))
    assert plan.counts[1].sum() == 0 and plan.size == (pool.slots == 2).sum() == plan.counts[2].sum()
    assert np.isposinf(plan.limits[2]).all() and not plan.limits[1].any()


@pytest.mark.parametrize("name", ["flat", "log-uniform", "power", "by-price"])
def test_an_empty_pool_gives_an_empty_plan(name):
    for pool in (make_pool(0, categories=3), make_pool(0, categories=0)):
        plan = pool.plan(with_target(Target(shape=name, size=5)))
        assert plan.size == 0 and plan.wished.shape == (1000,) and len(plan.spikes) == 0
        assert plan.effective_size == plan.price_evenness == plan.category_evenness == plan.market_covered == 0


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (
            Recipe(cutoff=1000, target=Target(shape="by-price", size=8200, exponent=2.5)),
            "8,200 items, drawn with weight ((price - 1) / 998)^2.5 times their category's, price in whole dollars",
        ),
        (
            Recipe(cutoff=1000, target=Target(shape="flat", size=5000)),
            "5,000 items shared out over whole dollars in equal parts, as far as the pool has them",
        ),
        (
            Recipe(cutoff=240, target=Target(shape="power", size=5000, exponent=-0.5)),
            "5,000 items, those below $240 shared out over whole dollars in proportion to price^-0.5, "
            "as far as the pool has them\n- all items from $240 upwards",
        ),
    ],
)
def test_a_card_tells_the_target(recipe, words):
    assert f"- target {recipe.target.shape}: {words}" in recipe_lines(recipe)


# What falls short


def pool_of(by_slot):
    """One item for each key, in slots with so many items; two categories in turn."""
    slots = np.repeat(list(by_slot), list(by_slot.values()))
    keys = splitmix64(np.arange(len(slots), dtype=np.uint64))
    return Pool(keys, slots, np.arange(len(slots)) % 2, ("a", "b"))


def test_the_wish_is_the_shape_at_its_size_and_the_shortfall_what_the_pool_lacks():
    pool = pool_of({1: 10, 2: 10, 3: 1, 5: 6})
    plan = pool.plan(with_target(Target(shape="flat", size=18), cutoff=4))
    assert plan.wished[:6].tolist() == [0, 4, 4, 4, 0, 6]
    assert plan.counts.sum(axis=1)[:6].tolist() == [0, 6, 5, 1, 0, 6]
    assert plan.shortfall == 3
    assert plan.why_off_target() == "slots hold 3 items too few for the shape, which others give instead"


def test_by_price_the_wish_is_in_proportion_to_the_weight_of_a_slot_s_items():
    plan = pool_of({1: 5, 500: 8, 999: 2}).plan(with_target(Target(shape="by-price", size=6, exponent=1)))
    weights = np.array([8 * 499 / 998, 2])
    np.testing.assert_allclose(plan.wished[[1, 500, 999]], [0, *(6 * weights / weights.sum())])
    assert plan.wished.sum() == pytest.approx(6) and plan.shortfall == 0


def test_a_recipe_with_a_cap_wishes_nothing():
    plan = pool_of({1: 5}).plan(Recipe(cutoff=240, cap=2))
    assert plan.wished is None and plan.shortfall == 0 and plan.why_off_target() is None


WHOLE = "slots from ${} upwards are kept whole and hold more than the 3 asked for"


@pytest.mark.parametrize(
    ("size", "cutoff", "uncapped", "off"),
    [
        (15, 3, None, None),
        (32, 3, None, "slots hold 1 item too few for the shape, which others give instead"),
        (
            41,
            1000,
            EVERY := "every slot is kept whole: the pool has 40 items to give",
            "the pool has 40 items to give, and 41 were asked for",
        ),
        (40, 4, EVERY, "slots hold 7 items too few for the shape, which others give instead"),
        (3, 1, "every slot is kept whole", WHOLE),
        (3, 2, None, WHOLE),
    ],
)
def test_a_plan_says_why_its_target_changes_nothing_and_why_it_is_not_met(size, cutoff, uncapped, off):
    plan = pool_of({1: 10, 2: 20, 3: 10}).plan(with_target(Target(shape="flat", size=size), cutoff))
    assert plan.why_uncapped() == uncapped
    assert plan.why_off_target() == (off and off.format(cutoff))
    assert plan.capped_slots == (plan.counts.sum(axis=1) < plan.before.sum(axis=1)).sum()


def test_a_plan_says_that_no_item_lies_below_the_cutoff():
    plan = pool_of({20: 10}).plan(with_target(Target(shape="flat", size=3), 10))
    assert plan.why_uncapped() == "no item lies below $10, and from there every slot is kept whole"


def test_a_slot_that_a_target_leaves_empty_counts_as_made_smaller():
    plan = pool_of({20: 10, 30: 10}).plan(with_target(Target(shape="flat", size=1)))
    assert plan.counts.sum(axis=1)[[20, 30]].tolist() == [1, 0] and plan.capped_slots == 2
