"""The first notebook's recipe on a pool made to its published counts: what Pricer gives beside what it printed.

    python benchmarks/notebook_1.py          # 2,811,408 generated pairs of price and category; some seconds
    python benchmarks/notebook_1.py --json

Published are the items of each of eight categories before and after sampling, and the mean price before and after; the
prices themselves are not. `fit_prices` finds the one family of price distributions of its form that is consistent with
all of these, `make_counts` rounds it to whole items, and Pricer's plan and the notebook's own cell then draw from it.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricer.curation.index import PoolIndex, build_index
from pricer.curation.recipe import NOTEBOOK_CAP, NOTEBOOK_CUTOFF, Recipe, notebook_1
from pricer.curation.sampler import Plan, make_plan
from pricer.curation.solver import Wishes, solve
from pricer.curation.thresholds import fluid_thresholds
from pricer.draws import splitmix64

CATEGORIES = {  # items before and after sampling
    "Automotive": (911_688, 141_884),
    "Tools_and_Home_Improvement": (541_051, 97_689),
    "Electronics": (443_473, 81_667),
    "Toys_and_Games": (340_479, 30_995),
    "Office_Products": (240_394, 24_979),
    "Cell_Phones_and_Accessories": (238_869, 8_764),
    "Musical_Instruments": (66_829, 17_858),
    "Appliances": (28_625, 4_799),
}
NAMES = tuple(CATEGORIES)
BEFORE, AFTER = (np.array(items) for items in zip(*CATEGORIES.values(), strict=True))
MEAN_BEFORE, MEAN_AFTER = 59.70, 220.52  # dollars
SLOTS = np.arange(1, 1000)
WEIGHTS = notebook_1(np.zeros((1000, 8)), NAMES).weight_array(NAMES)


@dataclass(frozen=True, eq=False)
class Prices:
    """Log prices of each category: Student's t around `centres`, with one spread and one tail for all."""

    centres: np.ndarray  # float64 (8): logarithms of the medians in dollars, before the range is cut to $1 to $999
    spread: float
    degrees_of_freedom: float

    def expected_counts(self) -> np.ndarray:
        """Items by slot 1 to 999 and category, float64 (999, 8)."""
        from scipy.stats import t

        edges = np.log(np.arange(0.5, 1000))
        below = t.cdf((edges[:, None] - self.centres) / self.spread, self.degrees_of_freedom)
        parts = np.diff(below, axis=0)
        return BEFORE * parts / parts.sum(axis=0)


def fit_prices() -> Prices:
    """The prices for which the notebook's recipe is expected to give what it published: ten numbers for ten figures."""
    from scipy.optimize import least_squares

    def unpacked(numbers: np.ndarray) -> Prices:
        return Prices(numbers[:8], numbers[8], np.exp(numbers[9]))

    def misses(numbers: np.ndarray) -> np.ndarray:
        before = unpacked(numbers).expected_counts()
        after = expected_sample(before)
        means = np.array([_mean(before) / MEAN_BEFORE, _mean(after) / MEAN_AFTER])
        return np.concatenate([after.sum(axis=0) / AFTER - 1, means - 1])

    return unpacked(least_squares(misses, [*[3.2] * 8, 0.9, 1.0]).x)


def expected_sample(before: np.ndarray) -> np.ndarray:
    """What the notebook's recipe is expected to keep of expected counts (999, 8): n·(1 - exp(-t·w)) in capped slots."""
    capped = (SLOTS < NOTEBOOK_CUTOFF) & (before.sum(axis=1) > NOTEBOOK_CAP)
    thresholds = fluid_thresholds(before[capped], WEIGHTS, NOTEBOOK_CAP)
    after = before.copy()
    after[capped] *= 1 - np.exp(-thresholds[:, None] * WEIGHTS)
    return after


def _mean(counts: np.ndarray) -> float:
    return float(counts.sum(axis=1) @ SLOTS / counts.sum())


def make_counts(prices: Prices) -> np.ndarray:
    """Whole items by slot (1000) and category (8), with the published number of each category."""
    running = np.rint(prices.expected_counts().cumsum(axis=0)).astype(np.int64)
    return np.diff(running, axis=0, prepend=np.zeros((2, 8), np.int64))


def make_index(counts: np.ndarray) -> PoolIndex:
    """The pool with these counts, sorted for planning; every item costs the whole dollars of its slot."""
    cells = np.repeat(np.arange(counts.size), counts.ravel())
    slots, codes = np.divmod(cells, len(NAMES))
    keys = splitmix64(np.arange(len(cells), dtype=np.uint64))
    return build_index(keys, slots, codes, slots.astype(np.float64), np.zeros(len(cells), np.int64), NAMES)


def notebook_cell(counts: np.ndarray) -> np.ndarray:
    """What the notebook's own cell keeps, by slot and category: `numpy.random.choice` with its weights and seed."""
    kept = counts.copy()
    np.random.seed(42)
    for slot in range(1, NOTEBOOK_CUTOFF):
        codes = np.repeat(np.arange(len(NAMES)), counts[slot])
        if len(codes) > NOTEBOOK_CAP:
            weights = WEIGHTS[codes] / WEIGHTS[codes].sum()
            chosen = np.random.choice(len(codes), size=NOTEBOOK_CAP, replace=False, p=weights)
            kept[slot] = np.bincount(codes[chosen], minlength=len(NAMES))
    return kept


def measure() -> dict:
    """The published figures beside those of Pricer and of the notebook's cell on the made pool."""
    counts = make_counts(fit_prices())
    index = make_index(counts)
    plan = make_plan(index, notebook_1(index.counts, NAMES))
    cell = notebook_cell(counts)
    return {
        "pool": int(counts.sum()),
        "size": plan.size,
        "price_mean_before": plan.market_price_mean,
        "price_mean": plan.price_mean,
        "notebook_price_mean": _mean(cell[1:]),
        "capped_slots": plan.capped_slots,
        "categories": [
            {
                "category": name,
                "before": int(BEFORE[code]),
                "published": int(AFTER[code]),
                "pricer": int(plan.counts[:, code].sum()),
                "notebook_cell": int(cell[:, code].sum()),
            }
            for code, name in enumerate(NAMES)
        ],
        "automotive_share": what_moves_automotive(index, plan),
    }


def what_moves_automotive(index: PoolIndex, plan: Plan) -> dict:
    """Automotive's share of the sample with other weights, and where it cannot go at this size and mean."""
    equal = make_plan(index, Recipe(**plan.recipe.model_dump() | {"weights": {}}))
    least = solve(index, Wishes(size=plan.size, price_mean=plan.price_mean, most_share=0.2))
    return {
        "market": float(BEFORE[0] / BEFORE.sum()),
        "notebook_1": float(plan.shares()["share_after"][0]),
        "equal_weights": float(equal.shares()["share_after"][0]),
        "above_the_cutoff": float(index.counts[NOTEBOOK_CUTOFF:, 0].sum() / index.counts[NOTEBOOK_CUTOFF:].sum()),
        "conflict": list(least.misses),
    }


def words(found: dict) -> str:
    lines = [
        f"{found['pool']:,} items, mean ${found['price_mean_before']:.2f} (published ${MEAN_BEFORE:.2f})",
        f"sample {found['size']:,} (published {AFTER.sum():,}), mean ${found['price_mean']:.2f} "
        f"(notebook's cell ${found['notebook_price_mean']:.2f}, published ${MEAN_AFTER:.2f}); "
        f"{found['capped_slots']} slots capped",
        "",
        f"{'before':>9}  {'published':>9}  {'Pricer':>9}  {'its cell':>9}   share before, after",
    ]
    for row in found["categories"]:
        shares = f"{row['before'] / found['pool']:>6.1%}  {row['pricer'] / found['size']:>6.1%}"
        figures = "  ".join(f"{row[key]:>9,}" for key in ("before", "published", "pricer", "notebook_cell"))
        lines.append(f"{figures}   {shares}  {row['category']}")
    lines.append(f"\nAutomotive's share: {found['automotive_share']}")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object")
    found = measure()
    print(json.dumps(found, indent=1) if parser.parse_args().json else words(found))
