"""What the browser works out while a slider moves, against the library: its script, run in Chromium on its own."""

import base64
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from pages.shared import balancer
from pricer.curation.index import PoolIndex, build_index
from pricer.curation.recipe import Recipe, Target
from pricer.curation.sampler import make_plan

pytestmark = pytest.mark.browser

SCRIPT = (Path(balancer.__file__).parent / "plan.js").read_text("utf-8")
RUN = """
async ([script, pool, settings, passes]) => {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const { readPool, estimate } = await import(url);
  const read = readPool(pool);
  let last = null;
  return settings.map((each) => {
    last = estimate(read, each, passes ? last : null);
    const { slots, totals, wished, ...figures } = last;
    delete figures.thresholds;
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


@pytest.fixture(scope="module")
def estimates(browser: Browser):
    page = browser.new_page()

    def run(index: PoolIndex, recipes: list[Recipe], passes: bool = True) -> list[dict]:
        """Estimates of recipes one after the other, as a slider passes them, or each on its own."""
        return page.evaluate(RUN, [SCRIPT, told(index), [settings(each) for each in recipes], passes])

    yield run
    page.close()


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
