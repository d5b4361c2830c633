"""The sampler beside brute force, exact probabilities, and what must not change when something else does."""

import json
import subprocess
import sys
from dataclasses import dataclass
from itertools import combinations, permutations
from math import inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.curation.index import build_index
from pricer.curation.recipe import Recipe, Target, preset
from pricer.curation.sampler import in_sample, make_plan
from pricer.draws import ROLE_STREAM, SAMPLE_STREAM, draw, splitmix64

CHI_SQUARE_LIMIT = {1: 10.83, 9: 27.88}  # degrees of freedom: the value that chance exceeds once in a thousand


@dataclass
class Pool:
    keys: np.ndarray
    slots: np.ndarray
    codes: np.ndarray
    categories: tuple[str, ...]

    @property
    def prices(self):
        return np.maximum(self.slots + (self.keys % np.uint64(99)) / 100 - 0.49, 0.5)

    @property
    def tokens(self):
        return (self.keys % np.uint64(151)).astype(np.int32)

    def index(self, seed):
        return build_index(self.keys, self.slots, self.codes, self.prices, self.tokens, self.categories, seed)

    def plan(self, recipe):
        return make_plan(self.index(recipe.seed), recipe)

    def kept(self, plan):
        return in_sample(self.keys, self.slots, self.codes, plan)

    def sample(self, recipe):
        """The keys in the sample."""
        return set(self.keys[self.kept(self.plan(recipe))].tolist())

    def only(self, rows):
        return Pool(self.keys[rows], self.slots[rows], self.codes[rows], self.categories)


def make_pool(size, categories=4, slots=(0, 1000), seed=0):
    """Items at random; low slots hold more than high ones."""
    random = np.random.default_rng(seed)
    return Pool(
        keys=splitmix64(np.arange(size, dtype=np.uint64) + np.uint64(seed << 32)),
        slots=(slots[0] + (slots[1] - slots[0]) * random.random(size) ** 3).astype(np.int16),
        codes=random.integers(0, max(1, categories), size),
        categories=tuple("abcdefghijklmnopqrstuvwxyz"[:categories]),
    )


pools = st.builds(
    make_pool,
    size=st.integers(0, 800),
    categories=st.integers(1, 6),
    slots=st.tuples(st.integers(0, 20), st.integers(21, 1000)),
    seed=st.integers(0, 1000),
)
weights = st.sampled_from([0.0, 1e-100, 1e-9, 0.2, 1.0, 5.0, 1e9, 1e100]) | st.floats(1e-3, 1e3)
recipes = st.builds(
    Recipe,
    cutoff=st.integers(1, 1000) | st.integers(1, 40),
    cap=st.integers(1, 60) | st.integers(1, 1000),
    weights=st.dictionaries(st.sampled_from("abcdef"), weights),
    default_weight=weights,
    seed=st.integers(0, 2**63 - 1),
)

by_price = st.builds(
    Recipe,
    cutoff=st.just(1000),
    target=st.builds(
        Target, shape=st.just("by-price"), size=st.integers(1, 900), exponent=st.sampled_from([0, 1, 2.5])
    ),
    weights=st.dictionaries(st.sampled_from("abcdef"), weights),
    default_weight=weights,
    seed=st.integers(0, 2**63 - 1),
)
shapes = st.builds(
    Recipe,
    cutoff=st.integers(1, 1000) | st.integers(1, 40),
    target=st.builds(
        Target,
        shape=st.sampled_from(["flat", "log-uniform", "power"]),
        size=st.integers(1, 900),
        exponent=st.floats(-4, 4),
    ),
    weights=st.dictionaries(st.sampled_from("abcdef"), weights),
    default_weight=weights,
    seed=st.integers(0, 2**63 - 1),
)
any_recipes = recipes | shapes | by_price


def changed(recipe, **settings):
    return Recipe(**recipe.model_dump() | settings)


def count(pool, rows):
    cells = pool.slots[rows].astype(int) * len(pool.categories) + pool.codes[rows]
    return np.bincount(cells, minlength=1000 * len(pool.categories)).reshape(1000, -1)


# What the plan says is what the rule does


@given(pools, any_recipes)
def test_a_plan_counts_what_the_rule_keeps(pool, recipe):
    plan = pool.plan(recipe)
    kept = pool.kept(plan)
    np.testing.assert_array_equal(plan.counts, count(pool, kept))
    assert plan.size == kept.sum()
    if plan.size:
        assert plan.price_mean == pytest.approx(pool.prices[kept].mean(), rel=1e-9)
        assert plan.tokens_mean == pytest.approx(pool.tokens[kept].mean(), rel=1e-9)
        assert plan.price_median == np.sort(pool.slots[kept])[(plan.size - 1) // 2]


@given(pools, recipes)
def test_every_slot_holds_exactly_as_many_as_the_recipe_says(pool, recipe):
    possible = count(pool, recipe.weight_array(pool.categories)[pool.codes] > 0).sum(axis=1)
    expected = np.where(np.arange(1000) < recipe.cutoff, np.minimum(possible, recipe.cap), possible)
    expected[0] = 0
    np.testing.assert_array_equal(pool.plan(recipe).counts.sum(axis=1), expected)


@given(pools, recipes)
def test_a_slot_keeps_the_smallest_draws_over_weight(pool, recipe):
    plan = pool.plan(recipe)
    kept = pool.kept(plan)
    with np.errstate(divide="ignore"):
        scores = draw(pool.keys, SAMPLE_STREAM, recipe.seed) / recipe.weight_array(pool.categories)[pool.codes]
    for slot in np.flatnonzero(np.isfinite(plan.thresholds) & (plan.thresholds > 0)):
        inside, outside = scores[(pool.slots == slot) & kept], scores[(pool.slots == slot) & ~kept]
        assert inside.max() < plan.thresholds[slot] < outside.min()
        assert plan.thresholds[slot] == (inside.max() + outside.min()) / 2


@pytest.mark.parametrize("weight", [1, 0.2])
def test_three_hundred_thousand_items_come_out_exactly(weight):
    pool = make_pool(300_000, categories=8, slots=(0, 700))
    recipe = Recipe(cutoff=240, cap=400, weights={"a": weight})
    plan = pool.plan(recipe)
    np.testing.assert_array_equal(plan.counts, count(pool, pool.kept(plan)))
    before = count(pool, slice(None)).sum(axis=1)
    np.testing.assert_array_equal(plan.counts.sum(axis=1)[1:240], np.minimum(before, 400)[1:240])
    np.testing.assert_array_equal(plan.counts.sum(axis=1)[240:], before[240:])
    assert plan.capped_slots >= 100


# The law: chi-square against exact subset probabilities

WEIGHTS = np.array([1, 2, 3, 4, 10])
PAIRS = list(combinations(range(5), 2))


def exact_probabilities():
    """How likely each pair is to be drawn: one item after the other, each with its share of the weight that is left."""
    total = WEIGHTS.sum()
    chances = {(i, j): WEIGHTS[i] / total * WEIGHTS[j] / (total - WEIGHTS[i]) for i, j in permutations(range(5), 2)}
    return np.array([chances[pair] + chances[pair[::-1]] for pair in PAIRS])


def notebook_2_pairs(trials=5000):
    """Every trial is a pool of five items; by price squared and category they weigh 1, 2, 3, 4 and 10."""
    slots, codes = np.array([100, 100, 199, 199, 199]), np.arange(5)
    by_category = {"a": 1.0, "b": 2.0, "c": 0.75, "d": 1.0, "e": 2.5}
    recipe = Recipe(cutoff=1000, target=Target(shape="by-price", size=2), weights=by_category)
    keys = splitmix64(np.arange(5 * trials, dtype=np.uint64)).reshape(trials, 5)
    pools = (Pool(five, slots, codes, tuple("abcde")) for five in keys)
    return np.array([pool.kept(pool.plan(recipe)) for pool in pools])


def chi_square(kept):
    """Chi-square (9 degrees of freedom) of which pairs were kept, given as bool (trials, 5)."""
    observed = np.array([(kept[:, i] & kept[:, j]).sum() for i, j in PAIRS])
    expected = len(kept) * exact_probabilities()
    assert observed.sum() == len(kept)
    return ((observed - expected) ** 2 / expected).sum()


def sampled_pairs(trials=20_000):
    """Every slot is one trial: five items, one of each weight, cap 2. Seeds make enough of them."""
    keys, slots, codes = (
        splitmix64(np.arange(4995, dtype=np.uint64)),
        np.repeat(np.arange(1, 1000), 5),
        np.arange(4995) % 5,
    )
    pool = Pool(keys, slots, codes, tuple("abcde"))
    by_category = dict(zip("abcde", WEIGHTS.tolist(), strict=True))
    plans = (pool.plan(Recipe(cutoff=1000, cap=2, weights=by_category, seed=seed)) for seed in range(trials // 999 + 1))
    return np.concatenate([pool.kept(plan).reshape(999, 5) for plan in plans])[:trials]


def test_pairs_come_as_often_as_they_should():
    assert chi_square(sampled_pairs()) < CHI_SQUARE_LIMIT[9]


def test_pairs_by_price_come_as_often_as_they_should():
    assert chi_square(notebook_2_pairs()) < CHI_SQUARE_LIMIT[9]


def test_numpy_choice_passes_the_same_test():
    random, kept = np.random.default_rng(42), np.zeros((20_000, 5), dtype=bool)
    for trial in kept:
        trial[random.choice(5, size=2, replace=False, p=WEIGHTS / WEIGHTS.sum())] = True
    assert chi_square(kept) < CHI_SQUARE_LIMIT[9]


def test_a_wrong_sampler_fails_the_same_test():
    scores = np.random.default_rng(42).random((20_000, 5)) * WEIGHTS
    kept = scores >= np.sort(scores, axis=1)[:, -2:-1]
    assert chi_square(kept) > 10 * CHI_SQUARE_LIMIT[9]


@pytest.mark.parametrize("other", [(ROLE_STREAM, 0), (SAMPLE_STREAM, 43)])
def test_a_sample_is_independent_of_roles_and_of_other_seeds(other):
    keys = splitmix64(np.arange(200_000, dtype=np.uint64))
    first, second = draw(keys, SAMPLE_STREAM, 42) < 0.3, draw(keys, *other) < 0.3
    table = np.bincount(2 * first + second, minlength=4).reshape(2, 2)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / len(keys)
    assert ((table - expected) ** 2 / expected).sum() < CHI_SQUARE_LIMIT[1]


# What must not change when something else does


@given(pools, any_recipes, st.integers(0, 100))
def test_the_order_of_items_changes_nothing(pool, recipe, seed):
    shuffled = np.random.default_rng(seed).permutation(len(pool.keys))
    plan, other = pool.plan(recipe), pool.only(shuffled).plan(recipe)
    np.testing.assert_array_equal(plan.thresholds, other.thresholds)
    np.testing.assert_array_equal(pool.kept(plan)[shuffled], pool.only(shuffled).kept(other))


@given(pools, any_recipes, st.integers(0, 100))
def test_seven_parts_sampled_apart_are_the_sample(pool, recipe, seed):
    plan = pool.plan(recipe)
    parts = np.random.default_rng(seed).integers(0, 7, len(pool.keys))
    kept = np.zeros(len(pool.keys), dtype=bool)
    for part in range(7):
        kept[parts == part] = pool.only(parts == part).kept(plan)
    np.testing.assert_array_equal(kept, pool.kept(plan))


@given(pools, recipes, st.integers(1, 100))
def test_a_larger_cap_keeps_everything_that_a_smaller_one_keeps(pool, recipe, more):
    larger = changed(recipe, cap=recipe.cap + more)
    assert pool.sample(recipe) <= pool.sample(larger)


@given(pools, any_recipes, st.floats(1, 1000))
def test_raising_a_weight_never_drops_an_item_of_its_category(pool, recipe, factor):
    raised = changed(recipe, weights=recipe.weights | {"a": min(recipe.weight("a") * factor, 1e100)})
    of_category = set(pool.keys[pool.codes == 0].tolist())
    assert pool.sample(recipe) & of_category <= pool.sample(raised)


@given(pools, any_recipes, st.sampled_from([2.0**-20, 0.2, 3.0, 7.7]))
def test_scaling_all_weights_changes_nothing(pool, recipe, factor):
    moderate = recipe.weight_array(pool.categories).clip(max=1e9)
    moderate[moderate < 1e-9] = 0
    first = changed(recipe, weights=dict(zip(pool.categories, moderate.tolist(), strict=True)))
    second = changed(recipe, weights={category: factor * first.weight(category) for category in pool.categories})
    assert pool.sample(first) == pool.sample(second)


@given(pools, any_recipes)
def test_weight_0_means_never_in_whole_slots_too(pool, recipe):
    without = changed(recipe, weights=recipe.weights | {"a": 0.0})
    plan = pool.plan(without)
    assert plan.counts[:, 0].sum() == 0
    assert not pool.kept(plan)[pool.codes == 0].any()


@given(pools, recipes, st.integers(1, 999))
def test_a_category_elsewhere_leaves_the_other_slots_untouched(pool, recipe, slot):
    guests = make_pool(100, categories=1, slots=(slot, slot + 1), seed=5000)
    both = Pool(
        np.concatenate([pool.keys, guests.keys]),
        np.concatenate([pool.slots, guests.slots]),
        np.concatenate([pool.codes, np.full(100, len(pool.categories))]),
        (*pool.categories, "guests"),
    )
    elsewhere = set(pool.keys[pool.slots != slot].tolist())
    assert pool.sample(recipe) & elsewhere == both.sample(recipe) & elsewhere


@given(pools, recipes | by_price, st.integers(0, 799))
def test_dropping_an_item_that_is_not_in_the_sample_changes_nothing(pool, recipe, row):
    kept = pool.kept(pool.plan(recipe))
    rest = np.arange(len(pool.keys)) != row
    lost = set(pool.keys[~rest & kept].tolist())
    gained = pool.only(rest).sample(recipe) - set(pool.keys[kept].tolist())
    assert set(pool.keys[kept].tolist()) - lost <= pool.only(rest).sample(recipe)
    assert len(gained) <= len(lost)


# Ties and extremes


def tied_keys():
    """Two keys with the same draw for seed 42: SplitMix64 backwards from numbers that differ in their last bit."""

    def unshifted(z, shift):
        value = z
        for _ in range(64 // shift):
            value = z ^ (value >> shift)
        return value

    def original(z):
        z = unshifted(z, 31) * pow(0x94D049BB133111EB, -1, 2**64) % 2**64
        z = unshifted(z, 27) * pow(0xBF58476D1CE4E5B9, -1, 2**64) % 2**64
        return (unshifted(z, 30) - 0x9E3779B97F4A7C15 - SAMPLE_STREAM - 42) % 2**64

    return sorted(original(0x8000000000000000 + last) for last in (0, 1))


@pytest.mark.parametrize("codes", [(0, 0), (0, 1), (1, 0)])
def test_of_two_items_with_the_same_draw_the_smaller_key_is_kept(codes):
    small, large = tied_keys()
    pool = Pool(np.array([large, small], dtype=np.uint64), np.array([7, 7]), np.array(codes), ("a", "b"))
    assert draw(pool.keys, SAMPLE_STREAM, 42).tolist() == [np.log(2)] * 2
    by_price = Target(shape="by-price", size=1)
    for recipe in (Recipe(cutoff=240, cap=1), Recipe(cutoff=1000, target=by_price)):
        plan = pool.plan(recipe)
        assert pool.kept(plan).tolist() == [False, True]
        np.testing.assert_array_equal(plan.counts, count(pool, [1]))
        assert plan.price_mean == pytest.approx(pool.prices[1])


@pytest.mark.parametrize("slots", [(7, 9), (9, 7)])
def test_by_price_a_tie_between_two_slots_goes_by_key_too(slots):
    pool = Pool(np.array(tied_keys(), dtype=np.uint64), np.array(slots), np.array([0, 0]), ("a",))
    plan = pool.plan(Recipe(cutoff=1000, target=Target(shape="by-price", size=1, exponent=0)))
    assert pool.kept(plan).tolist() == [True, False]
    np.testing.assert_array_equal(plan.counts, count(pool, [0]))


def test_many_ties_away_from_the_edge_and_at_it_are_counted_exactly():
    tied, others = tied_keys(), make_pool(400, categories=2, slots=(7, 8))
    for cap in range(1, 402):
        pool = Pool(
            np.concatenate([others.keys, np.array(tied, dtype=np.uint64)]),
            np.full(402, 7),
            np.concatenate([others.codes, [0, 1]]),
            ("a", "b"),
        )
        plan = pool.plan(Recipe(cutoff=240, cap=cap))
        assert plan.size == cap == pool.kept(plan).sum()
        assert len(plan.ties) <= 1


def test_a_category_with_an_enormous_weight_goes_first():
    pool = make_pool(5000, categories=3, slots=(7, 8))
    plan = pool.plan(Recipe(cutoff=240, cap=2000, weights={"a": 1e-9, "b": 1e9}))
    before = count(pool, slice(None))[7]
    assert plan.counts[7].tolist() == [0, before[1], 2000 - before[1]]


def test_a_pool_without_items_or_categories_gives_an_empty_plan():
    for pool in (make_pool(0, categories=3), make_pool(0, categories=0)):
        plan = pool.plan(Recipe(cutoff=240, cap=10))
        assert (plan.size, plan.market_size, plan.price_median, plan.capped_slots) == (0, 0, 0, 0)
        assert np.isnan(plan.price_mean) and plan.price_distance == plan.category_distance == 0
        assert len(plan.shares()) == len(pool.categories) and len(pool.kept(plan)) == 0


def test_a_single_item_is_kept_unless_it_lies_in_slot_0():
    pool = make_pool(1, slots=(7, 8))
    assert pool.plan(Recipe(cutoff=240, cap=1)).size == 1
    pool.slots[:] = 0
    assert pool.plan(Recipe(cutoff=1, cap=1)).size == 0


def test_a_cap_above_every_slot_keeps_everything():
    pool = make_pool(1000)
    plan = pool.plan(Recipe(cutoff=1000, cap=2**62, weights={"a": 0.001}))
    assert plan.size == plan.market_size == (pool.slots > 0).sum()


def test_an_index_of_another_seed_is_refused():
    pool = make_pool(10)
    index = build_index(pool.keys, pool.slots, pool.codes, pool.prices, pool.tokens, pool.categories, seed=1)
    with pytest.raises(ValueError, match="seed 2, got one of 1"):
        make_plan(index, Recipe(cutoff=240, cap=1, seed=2))


# What a plan tells


def test_shares_and_distances_are_those_of_the_market_and_the_sample():
    codes = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    pool = Pool(splitmix64(np.arange(8, dtype=np.uint64)), np.where(codes == 0, 5, 300), codes, ("a", "b"))
    plan = pool.plan(Recipe(cutoff=240, cap=2))
    assert plan.shares().rows() == [("a", 6, 2, 0.75, 0.5), ("b", 2, 2, 0.25, 0.5)]
    assert plan.price_distance == plan.category_distance == 0.25
    assert (plan.price_median, plan.market_price_median, plan.capped_slots) == (5, 5, 1)
    assert plan.market_price_mean == pytest.approx(pool.prices.mean())


def test_natural_is_the_market():
    pool = make_pool(5000)
    index = build_index(pool.keys, pool.slots, pool.codes, pool.prices, pool.tokens, pool.categories)
    plan = make_plan(index, preset("natural", index.counts, index.categories))
    assert plan.size == plan.market_size and plan.price_distance == plan.category_distance == 0
    assert (plan.price_mean, plan.tokens_mean) == (plan.market_price_mean, plan.market_tokens_mean)
    assert plan.thresholds[0] == 0 and plan.thresholds[plan.before.sum(axis=1) > 0][1:].min() == inf


@pytest.mark.parametrize(
    ("cutoff", "cap", "words"),
    [
        (240, 1200, "no slot holds more than 1,200 items"),
        (240, 25, "no slot below $240 holds more than 25 items"),
        (1, 5, "every slot is kept whole"),
        (400, 25, None),
    ],
)
def test_a_plan_says_why_its_cap_changes_nothing(cutoff, cap, words):
    plan = make_pool(30, slots=(300, 301)).plan(Recipe(cutoff=cutoff, cap=cap))
    assert plan.why_uncapped() == words


def test_the_benchmark_of_plans_runs_and_names_its_figures():
    script = Path(__file__).parents[1] / "benchmarks" / "plan.py"
    small = ["--items", "20000", "--large", "40000", "--rounds", "1", "--json"]
    done = subprocess.run([sys.executable, script, *small], capture_output=True, text=True, check=True)
    figures = {"plan_ms", "ratio_notebook", "ratio_numpy", "ratio_polars", "growth_20m"}
    assert figures | {f"{figure}_33" for figure in figures} <= json.loads(done.stdout).keys()
