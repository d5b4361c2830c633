"""How fast a recipe is found for a wished size, mean price and largest share, at millions of items.

    python benchmarks/solve.py            # generated pairs of price and category; takes a minute
    python benchmarks/solve.py --json

Prices and category shares follow the counts that the first notebook published, in 8 and in 33 categories. The wishes
are what recipes with weights against the largest categories give, all three of them or some, from the market or from
the notebook's recipe, and two that nothing can meet. Each solution that claims to meet its wishes is checked against
them. Figures are medians over the wishes, and how many exact plans could be made in that time.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.plan import SEED, generate_pool, seconds
from pricer.curation.index import PoolIndex, build_index
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import make_plan
from pricer.curation.solver import Wishes, solve
from pricer.curation.wishes import TOLERANCE, largest_share

KNOWN = ((240, 1200), (1000, 900), (400, 3000), (100, 500), (60, 8000))  # cutoffs and caps
NOTEBOOK = Recipe(cutoff=240, cap=1200, weights={"Automotive": 1.0}, default_weight=5.0, seed=SEED)
PLANS = 20


def make_index(size: int, category_count: int) -> PoolIndex:
    pool = generate_pool(size, category_count)
    tokens = np.full(size, 150, dtype=np.int32)
    return build_index(pool.keys, pool.slots, pool.codes, pool.prices, tokens, pool.categories, SEED)


def wishes_of(index: PoolIndex) -> Iterator[tuple[str, Wishes]]:
    """Names of kinds of wishes, and the wishes."""
    light = {index.categories[0]: 0.2, index.categories[1]: 0.5}
    for cutoff, cap in KNOWN:
        plan = make_plan(index, Recipe(cutoff=cutoff, cap=cap, weights=light, seed=SEED))
        wishes = Wishes(plan.size, plan.price_mean, largest_share(plan))
        yield "all", wishes
        yield "all from a recipe", replace(wishes, keep=NOTEBOOK)
        yield "size and mean", replace(wishes, most_share=None)
        yield "size", Wishes(size=plan.size)
        yield "mean", Wishes(price_mean=plan.price_mean)
        yield "share", Wishes(most_share=wishes.most_share)
        yield "conflict", replace(wishes, price_mean=950.0)
        yield "conflict", replace(wishes, most_share=1.02 / len(index.categories))


def measure(size: int, category_count: int) -> dict[str, float]:
    """Median seconds over all wishes and for each kind, the slowest, and how many plans' time the median takes."""
    index = make_index(size, category_count)
    times = defaultdict(list)
    for kind, wishes in wishes_of(index):
        solution = solve(index, wishes, SEED)
        if solution.met == (kind == "conflict") or solution.met != (max(wishes.errors_of(solution.plan)) <= TOLERANCE):
            sys.exit(f"wrong answer to {wishes}: {solution.recipe}, {solution.misses}")
        times[kind].append(solution.seconds)
    plan = median(seconds(lambda: make_plan(index, NOTEBOOK)) for _ in range(PLANS))
    every = [each for kind in times.values() for each in kind]
    kinds = {f"seconds_{kind.replace(' ', '_')}": median(found) for kind, found in times.items()}
    figures = {"seconds_median": median(every), "seconds_slowest": max(every), "plans_median": median(every) / plan}
    return figures | kinds | {"plan_seconds": plan}


def show(figures: dict[str, float], size: int, category_count: int) -> None:
    print(f"{size:,} items, {category_count} categories")
    for name, figure in figures.items():
        print(f"  {name.replace('_', ' '):24} {figure:9.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=2_800_000)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    report = {}
    for category_count, suffix in ((8, ""), (33, "_33")):
        figures = measure(options.items, category_count)
        report |= {name + suffix: round(figure, 4) for name, figure in figures.items()}
        if not options.json:
            show(figures, options.items, category_count)
    if options.json:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
