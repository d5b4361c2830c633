"""How fast a slider is answered: a plan at millions of items, beside what else could be done at every move.

    python benchmarks/plan.py            # generated pairs of price and category; takes 2 GB and about a minute
    python benchmarks/plan.py --json

Prices and category shares follow the counts that the first notebook published. Beside the plan, on the same items and
with the same recipes: (a) the notebook's two cells on Python objects, (b) its loop in NumPy on slot arrays that are
ready, (c) a full recomputation in Polars of scores and ranks. Each round moves the sliders and times all of them in
turn; figures are medians. Sorting the index is paid once per catalogue and seed, and shown apart. Before it times
anything, it checks that every slot comes out exactly.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricer.curation.index import PoolIndex, build_index
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import in_sample, make_plan
from pricer.draws import SAMPLE_STREAM, draw, splitmix64

NOTEBOOK_ITEMS = {
    "Automotive": 911_688,
    "Tools_and_Home_Improvement": 541_051,
    "Electronics": 443_473,
    "Toys_and_Games": 340_479,
    "Office_Products": 240_394,
    "Cell_Phones_and_Accessories": 238_869,
    "Musical_Instruments": 66_829,
    "Appliances": 28_625,
}
SHELF_PRICES = [9.99, 19.99, 24.99, 49, 49.99, 99, 99.99, 149, 199, 249, 299, 399, 399.99, 499]
CUTOFF, CAP, SEED = 240, 1200, 42
PLANS_PER_ROUND = 7


@dataclass(slots=True)
class Item:
    """What the notebook's cells read of an item."""

    price: float
    category: str


@dataclass(frozen=True, eq=False)
class Pool:
    """Generated items: one array per property."""

    keys: np.ndarray
    slots: np.ndarray
    codes: np.ndarray
    prices: np.ndarray
    categories: tuple[str, ...]

    def counts(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        cells = self.slots[rows].astype(np.int64) * len(self.categories) + self.codes[rows]
        return np.bincount(cells, minlength=1000 * len(self.categories)).reshape(1000, -1)


def generate_pool(size: int, category_count: int) -> Pool:
    """Long-tailed prices (mean about $60) with spikes, in the notebook's 8 categories or in parts of them."""
    random = np.random.default_rng(SEED)
    prices = random.lognormal(3.2, 1.25, size)
    prices = np.where(random.random(size) < 0.45, np.floor(prices) + 0.99, prices)
    prices = np.where(random.random(size) < 0.04, random.choice(SHELF_PRICES, size), prices)
    prices = np.round(prices.clip(0.5, 999.49), 2)
    parts = [(name, part) for part in range(1, 6) for name in NOTEBOOK_ITEMS][:category_count]
    shares = np.array([NOTEBOOK_ITEMS[name] / part for name, part in parts])
    return Pool(
        keys=splitmix64(np.arange(size, dtype=np.uint64)),
        slots=np.rint(prices).astype(np.int16),
        codes=random.choice(category_count, size, p=shares / shares.sum()).astype(np.int16),
        prices=prices,
        categories=tuple(name if part == 1 else f"{name}_{part}" for name, part in parts),
    )


def slider_moves(rounds: int) -> list[Recipe]:
    """The notebook's recipe, then others: the cap and the weights of the others move."""
    weights = {"Automotive": 1.0}
    return [
        Recipe(cutoff=CUTOFF, cap=CAP + 37 * move, weights=weights, default_weight=5 - move / (2 * rounds), seed=SEED)
        for move in range(rounds)
    ]


# What else could be done


def notebook_cells(items: list[Item], recipe: Recipe) -> list[Item]:
    """The first notebook: items into slots by rounded price, then every slot whole or by weighted choice."""
    slots = defaultdict(list)
    for item in items:
        slots[round(item.price)].append(item)
    np.random.seed(recipe.seed)
    sample = []
    for i in range(1, 1000):
        slot = slots[i]
        if i >= recipe.cutoff or len(slot) <= recipe.cap:
            sample.extend(slot)
        else:
            light, heavy = recipe.weights["Automotive"], recipe.default_weight
            weights = np.array([light if item.category == "Automotive" else heavy for item in slot])
            weights = weights / np.sum(weights)
            selected_indices = np.random.choice(len(slot), size=recipe.cap, replace=False, p=weights)
            sample.extend([slot[i] for i in selected_indices])
    return sample


def numpy_loop(slot_rows: list[np.ndarray], slot_codes: list[np.ndarray], recipe: Recipe, categories: Sequence[str]):
    """The notebook's second cell on arrays: row numbers and category codes of each slot are ready."""
    by_category = recipe.weight_array(categories)
    np.random.seed(recipe.seed)
    sample = []
    for i in range(1, 1000):
        rows = slot_rows[i]
        if i < recipe.cutoff and len(rows) > recipe.cap:
            weights = by_category[slot_codes[i]]
            rows = rows[np.random.choice(len(rows), size=recipe.cap, replace=False, p=weights / weights.sum())]
        sample.append(rows)
    return np.concatenate(sample)


def polars_recomputation(table: pl.DataFrame, recipe: Recipe, categories: Sequence[str]) -> pl.DataFrame:
    """Scores, ranks by slot, filter, count: the columns slot, code and draw are ready."""
    weights = pl.lit(pl.Series(recipe.weight_array(categories)))
    score = pl.col("draw") / weights.gather(pl.col("code"))
    return (
        table.lazy()
        .with_columns(score=score)
        .with_columns(rank=pl.col("score").rank("ordinal").over("slot"))
        .filter((pl.col("slot") >= 1) & ((pl.col("slot") >= recipe.cutoff) | (pl.col("rank") <= recipe.cap)))
        .group_by("slot", "code")
        .len()
        .collect()
    )


# Measuring


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def stored_index(pool: Pool, folder: Path) -> tuple[PoolIndex, float]:
    """Sort the pool, store the index and map it back, as a catalogue does; and the seconds that it took."""
    started = time.perf_counter()
    folder.mkdir()
    tokens = np.full(len(pool.keys), 150, dtype=np.int32)
    build_index(pool.keys, pool.slots, pool.codes, pool.prices, tokens, pool.categories, SEED).save(folder)
    index = PoolIndex.load(folder, pool.categories, SEED)
    return index, time.perf_counter() - started


def check_every_slot(pool: Pool, index: PoolIndex) -> int:
    """Stop unless the notebook's recipe comes out exactly, by plan and item by item; else how many slots it caps."""
    plan = make_plan(index, slider_moves(1)[0])
    before = pool.counts().sum(axis=1)
    expected = np.where(np.arange(1000) < CUTOFF, np.minimum(before, CAP), before)
    expected[0] = 0
    sampled = pool.counts(in_sample(pool.keys, pool.slots, pool.codes, plan))
    if not (np.array_equal(sampled.sum(axis=1), expected) and np.array_equal(sampled, plan.counts)):
        sys.exit("a slot does not hold what the recipe says")
    return plan.capped_slots


def measure(size: int, large: int, category_count: int, rounds: int) -> dict[str, float]:
    """Figures for one number of categories: milliseconds, and how many times the plan's time the references take."""
    with tempfile.TemporaryDirectory(prefix="pricer-benchmark-") as folder:
        larger_index, larger_seconds = stored_index(generate_pool(large, category_count), Path(folder, "large"))
        pool = generate_pool(size, category_count)
        index, index_seconds = stored_index(pool, Path(folder, "small"))
        capped = check_every_slot(pool, index)
        times = time_all(pool, index, larger_index, rounds)
    plan = median(times["plan"])
    return {
        "plan_ms": 1000 * plan,
        "ratio_notebook": median(times["notebook"]) / plan,
        "ratio_numpy": median(times["numpy"]) / plan,
        "ratio_polars": median(times["polars"]) / plan,
        "growth_20m": median(times["larger"]) / plan,
        "notebook_ms": 1000 * median(times["notebook"]),
        "numpy_ms": 1000 * median(times["numpy"]),
        "polars_ms": 1000 * median(times["polars"]),
        "plan_20m_ms": 1000 * median(times["larger"]),
        "index_seconds": index_seconds,
        "index_20m_seconds": larger_seconds,
        "capped_slots": capped,
    }


def time_all(pool: Pool, index: PoolIndex, larger_index: PoolIndex, rounds: int) -> dict[str, list[float]]:
    """Seconds of the plan, of the plan on the larger index, and of the three references, for each round."""
    rows = np.argsort(pool.slots, kind="stable")
    slot_rows = np.split(rows, pool.counts().sum(axis=1).cumsum()[:-1])
    slot_codes = [pool.codes[rows] for rows in slot_rows]
    draws = draw(pool.keys, SAMPLE_STREAM, SEED)
    table = pl.DataFrame({"slot": pool.slots, "code": pool.codes, "draw": draws})
    names = [pool.categories[code] for code in pool.codes]
    items = [Item(price, name) for price, name in zip(pool.prices.tolist(), names, strict=True)]
    gc.collect()
    gc.freeze()  # or collecting garbage among millions of items would slow whatever runs next
    times = defaultdict(list)
    for recipe in slider_moves(rounds):
        for _ in range(PLANS_PER_ROUND):
            times["plan"].append(seconds(lambda recipe=recipe: make_plan(index, recipe)))
            times["larger"].append(seconds(lambda recipe=recipe: make_plan(larger_index, recipe)))
        times["notebook"].append(seconds(lambda recipe=recipe: notebook_cells(items, recipe)))
        times["numpy"].append(seconds(lambda recipe=recipe: numpy_loop(slot_rows, slot_codes, recipe, pool.categories)))
        times["polars"].append(seconds(lambda recipe=recipe: polars_recomputation(table, recipe, pool.categories)))
    gc.unfreeze()
    return times


def show(figures: dict[str, float], size: int, large: int, category_count: int) -> None:
    print(f"{size:,} items, {category_count} categories, {figures['capped_slots']} capped slots, every slot exact")
    print(f"  plan                     {figures['plan_ms']:9.1f} ms")
    for label, name in (("(a) notebook", "notebook"), ("(b) NumPy loop", "numpy"), ("(c) Polars", "polars")):
        print(f"  {label:24} {figures[f'{name}_ms']:9.1f} ms  {figures[f'ratio_{name}']:7.1f} x the plan")
    print(f"  plan at {large:<16,} {figures['plan_20m_ms']:9.1f} ms  {figures['growth_20m']:7.1f} x the plan")
    once, larger_once = figures["index_seconds"], figures["index_20m_seconds"]
    print(f"  sorting the index, once  {once:9.1f} s   {larger_once:7.1f} s at {large:,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=2_800_000)
    parser.add_argument("--large", type=int, default=20_000_000, help="items of the larger pool, for growth_20m")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    report = {}
    for category_count, suffix in ((8, ""), (33, "_33")):
        figures = measure(options.items, options.large, category_count, options.rounds)
        report |= {name + suffix: round(figure, 4) for name, figure in figures.items()}
        if not options.json:
            show(figures, options.items, options.large, category_count)
    if options.json:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
