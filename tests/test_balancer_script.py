"""What the browser works out while a slider moves, against the library: its scripts, run in Chromium on their own."""

import base64
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from pages.shared.balancer import script
from pricer.curation.index import PoolIndex, build_index
from pricer.curation.recipe import Recipe, Target
from pricer.curation.sampler import make_plan
from pricer.figures import formats
from pricer.figures.canvas import linear_ticks, log_ticks, price_ticks
from pricer.figures.prices import FLOOR, spikes

pytestmark = pytest.mark.browser

RUN = """
([script, code, given]) => new Function("given", `${script}; return (${code})(given);`)(given)
"""
ESTIMATE = """
({ pool, settings, passes }) => {
  const { readPool, estimate } = plan_module;
  const read = readPool(pool);
  let last = null;
  return settings.map((each) => {
    last = estimate(read, each, passes ? last : null);
    const { slots, totals, wished, thresholds, ...figures } = last;
    return { ...figures, slots: Array.from(slots), totals: Array.from(totals), wished: wished && Array.from(wished) };
  });
}
"""
CATEGORIES = tuple("abcdefg")
SHAPES = ("flat", "log-uniform", "power")


def pool(items: int, seed: int = 1, draws: int = 42) -> PoolIndex:
    """Long-tailed prices with spikes, in seven categories of very different size; `draws` is the recipe's seed."""
    random = np.random.default_rng(seed)
    prices = random.lognormal(3.4, 1.3, items).clip(0.2, 999.4)
    prices = np.where(random.random(items) < 0.1, random.choice([49.0, 99.0, 299.0, 499.0], items), prices).round(2)
    codes = random.choice(len(CATEGORIES), items, p=[0.4, 0.25, 0.15, 0.1, 0.06, 0.03, 0.01])
    keys = np.arange(items, dtype=np.uint64) * np.uint64(2**40 + 1)
    slots = np.rint(prices).astype(np.int64)
    return build_index(keys, slots, codes, prices, np.ones(items, dtype=np.int64), CATEGORIES, draws)


def told(index: PoolIndex) -> dict:
    """The pool as the page sends it."""
    counts = index.counts.astype("<u4")
    counts[0] = 0
    means = index.prices.sum(axis=1) / np.maximum(1, index.counts.sum(axis=1))
    return {
        "names": list(index.categories),
        "counts": base64.b64encode(counts.tobytes()).decode(),
        "prices": means.tolist(),
    }


def settings(recipe: Recipe) -> dict:
    return {
        "cutoff": recipe.cutoff,
        "cap": recipe.cap,
        "target": recipe.target and recipe.target.model_dump(),
        "weights": [recipe.weights.get(name) for name in CATEGORIES],
        "others": recipe.default_weight,
    }


Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(browser: Browser) -> Run:
    """Runs a JavaScript function, which sees the balancer's modules, on what it is given."""
    page = browser.new_page()
    yield lambda code, given=None: page.evaluate(RUN, [script(), code, given])
    page.close()


@pytest.fixture(scope="module")
def estimates(run: Run) -> Run:
    def estimate(index: PoolIndex, recipes: list[Recipe], passes: bool = True) -> list[dict]:
        """Estimates of recipes one after the other, as a slider passes them, or each on its own."""
        return run(ESTIMATE, {"pool": told(index), "settings": [settings(each) for each in recipes], "passes": passes})

    return estimate


def some_recipes(items: int) -> list[Recipe]:
    """Caps and shapes of many sizes and weights, from nothing to more than there is."""
    random = np.random.default_rng(5)
    recipes = []
    for number in range(60):
        weights = {
            name: float(weight) for name, weight in zip(CATEGORIES, random.choice([0, 0.1, 1, 5], 7), strict=True)
        }
        cutoff = int(random.choice([1, 40, 240, 1000]))
        if number % 3:
            rule = {"cap": int(random.choice([1, 10, 37, 300, 10**9]))}
        else:
            shape = SHAPES[number // 3 % 3]
            rule = {"target": Target(shape=shape, size=int(random.integers(1, 2 * items)), exponent=-1.3)}
        recipes.append(Recipe(cutoff=cutoff, weights=weights, **rule))
    return recipes


def test_the_number_in_every_slot_is_that_of_the_plan(estimates):
    index = pool(20_000)
    recipes = some_recipes(20_000)
    for recipe, estimate in zip(recipes, estimates(index, recipes), strict=True):
        plan = make_plan(index, recipe)
        assert np.array_equal(estimate["slots"], plan.counts.sum(axis=1)), recipe
        assert estimate["size"] == plan.size and estimate["priceMedian"] == plan.price_median
        assert estimate["capped"] == plan.capped_slots
        assert estimate["priceDistance"] == pytest.approx(plan.price_distance)
        assert estimate["shortfall"] == plan.shortfall
        if plan.wished is not None:
            assert estimate["wished"] == pytest.approx(plan.wished)


def test_categories_of_whole_slots_add_up(estimates):
    index = pool(5_000)
    [estimate] = estimates(index, [Recipe(cutoff=1, cap=5, weights={"a": 0.0})])
    assert np.array_equal(
        estimate["totals"], make_plan(index, Recipe(cutoff=1, cap=5, weights={"a": 0.0})).counts.sum(axis=0)
    )


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(cutoff=300, cap=10, weights={"a": 0.2, "c": 5.0, "g": 10.0}),
        Recipe(cutoff=300, cap=10, weights={"a": 1.0}, default_weight=5.0),
        Recipe(cutoff=240, cap=60, weights={"b": 3.0, "f": 0.1}),
        Recipe(cutoff=1000, target=Target(shape="power", size=3000, exponent=0.5), weights={"a": 0.2, "g": 10.0}),
        Recipe(cutoff=1000, target=Target(shape="by-price", size=1500, exponent=2.0), weights={"b": 0.5, "a": 0.05}),
    ],
    ids=["cap 10, far apart", "cap 10, notebook", "cap 60", "power", "by price"],
)
def test_categories_and_mean_price_are_within_three_percent_of_what_exact_plans_expect(estimates, recipe):
    plans = [make_plan(pool(12_000, draws=seed), recipe.model_copy(update={"seed": seed})) for seed in range(150)]
    expected = np.mean([plan.counts.sum(axis=0) for plan in plans], axis=0)
    [estimate] = estimates(pool(12_000), [recipe])
    assert estimate["totals"] == pytest.approx(expected, rel=0.03)
    assert estimate["priceMean"] == pytest.approx(np.mean([plan.price_mean for plan in plans]), rel=0.005)


def test_by_price_size_and_wished_shape_are_exact(estimates):
    index = pool(12_000)
    recipes = [
        Recipe(cutoff=1000, target=Target(shape="by-price", size=size, exponent=exponent), weights={"a": 0.05})
        for size, exponent in ((1, 2.0), (800, 2.0), (800, 0.0), (11_900, 1.0), (10**7, 2.0))
    ]
    for recipe, estimate in zip(recipes, estimates(index, recipes), strict=True):
        plan = make_plan(index, recipe)
        assert estimate["size"] == plan.size
        assert estimate["wished"] == pytest.approx(plan.wished)


def test_where_a_slider_came_from_changes_nothing(estimates):
    index = pool(20_000)
    recipes = [
        Recipe(cutoff=240, cap=cap, weights={"a": weight}) for cap in (900, 3, 50) for weight in (10.0, 0.01, 1.0)
    ]
    for one, other in zip(estimates(index, recipes), estimates(index, recipes, passes=False), strict=True):
        assert one["totals"] == pytest.approx(other["totals"], rel=1e-4)


def test_weights_that_lie_far_apart_are_solved(estimates):
    recipe = Recipe(cutoff=1000, cap=20, weights={"a": 1e-90, "b": 1e60}, default_weight=1.0)
    index = pool(5_000)
    [estimate] = estimates(index, [recipe])
    assert sum(estimate["totals"]) == pytest.approx(make_plan(index, recipe).size, rel=0.01)


# What is drawn, where Python draws or writes the same


def test_numbers_are_written_as_everywhere(run):
    numbers = [0, 1, 12.4, 999.5, 1_500, 10_000, 12_500, 2_000_000, 2_811_408.2]
    shares = [0, 1, 0.0004, 0.001, 0.347, 0.99996, 0.5]
    code = """({ numbers, shares }) => {
      const { count, dollars, percent, shortCount } = format_module;
      return [numbers.map(count), numbers.map(dollars), numbers.map(shortCount), shares.map(percent)];
    }"""
    counts, dollars, short, percents = run(code, {"numbers": numbers, "shares": shares})
    assert counts == [formats.count(int(number + 0.5)) for number in numbers]
    assert dollars == [formats.dollars(number) for number in numbers]
    assert short[4:8] == [formats.short_count(number) for number in numbers[4:8]]
    assert percents == [formats.percent(share) for share in shares]


@pytest.mark.parametrize("top", [1.9, 7.6, 60, 380, 4_000, 170_000, 2.2e6])
def test_axes_are_marked_as_everywhere(run, top):
    log, linear = run("(top) => [axes_module.logTicks(top), axes_module.linearTicks(top)]", top)
    assert [text for _, text in log] == log_ticks(FLOOR, top)["ticktext"]
    assert [text for _, text in linear] == linear_ticks(top)["ticktext"]
    prices = run("() => axes_module.priceTicks({ low: 10, high: 340 }, 600)")
    assert [formats.whole_dollars(price) for price in prices] == price_ticks(10, 340)["ticktext"]


def test_spikes_are_those_of_the_other_histograms(run):
    counts = np.array([0, *(round(3000 / slot**0.7) for slot in range(1, 1000))])
    counts[[299, 399, 499, 505, 999]] *= [4, 3, 6, 5, 9]
    found = run("(counts) => axes_module.spikes(counts, { low: 1, high: 999 })", counts.tolist())
    assert sorted(found) == spikes(np.arange(1, 1000), counts[1:]) == [299, 399, 499, 999]


def test_donut_parts_are_dealt_right_left_left_right(run):
    code = "(items) => categories_module.slices(['a', 'b', 'c', 'd'], items, [0, 1, 2, 3])"
    dealt = run(code, [40, 30, 20, 10])
    assert [(part["name"], part["side"]) for part in dealt] == [("a", 1), ("b", -1), ("c", -1), ("d", 1)]
    assert dealt[3]["end"] - dealt[2]["end"] == pytest.approx(1)


def test_a_donut_of_many_parts_ends_with_others(run):
    code = "(items) => categories_module.slices(items.map((n) => `c${n}`), items, items.map((_, rank) => 11 - rank))"
    dealt = run(code, list(range(1, 13)))
    assert len(dealt) == 8 and (dealt[-1]["name"], dealt[-1]["items"]) == ("5 others", 1 + 2 + 3 + 4 + 5)


def test_labels_that_were_spread_never_touch(run):
    random = np.random.default_rng(3)
    for _ in range(20):
        wanted = sorted(random.uniform(0, 100, 6))
        placed = run("(wanted) => categories_module.spread(wanted, [30, 30, 20, 45, 30])", wanted)
        gaps = [below - above for above, below in pairwise(placed)]
        assert all(gap >= least - 1e-9 for gap, least in zip(gaps, [30, 30, 20, 45, 30], strict=True))
    assert run("() => categories_module.spread([0, 50, 90], [30, 30])") == [0, 50, 90]


def test_a_histogram_is_called_flat_only_where_every_slot_below_the_cutoff_is_capped(run):
    code = """(cutoff) => {
      const pool = { slots: Float64Array.from({ length: 1000 }, (_, slot) => [0, 9, 9, 3, 3][slot] ?? 0) };
      return layout_module.finding(pool, { capped: 2 }, { cutoff });
    }"""
    assert run(code, 3) == "Flat up to the cutoff, untouched above it"
    assert run(code, 4) == "The cap cuts 2 of the 3 slots below the cutoff"


def test_long_names_are_cut_off(run):
    code = "(name) => format_module.wrapped(name)"
    assert run(code, "Tools and Home Improvement") == ["Tools and Home", "Improvement"]
    assert len(run(code, "word " * 40)) == 3 and run(code, "word " * 40)[-1].endswith("…")
    assert all(len(line) <= 18 for line in run(code, "x" * 400))
