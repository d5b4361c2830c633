"""How fast runs are compared: every figure of Compare for thirty runs on an exam of 10,000 items.

    python benchmarks/compare.py            # generated guesses; two minutes, most of them for the reference
    python benchmarks/compare.py --json

The reference is what one would write with pandas and scikit-learn: for each pair of runs, 2,000 times a sample of the
exam with replacement and the difference of two mean absolute errors, read as a percentile interval. It is timed on a
few pairs and taken times the number of pairs. It draws items, not groups of near-duplicates; where no item has any, as
here, both say nearly the same, which is checked.

matrix_ratio: how many times faster every two runs are compared. leaderboard_ratio: the same for ranking them with
intervals, against the reference for each run with the first. Seconds are the processor's, medians of three, so that
other work on the machine changes little.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import polars as pl
from sklearn.metrics import mean_absolute_error

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricer.evaluation.errors import GradedRun
from pricer.evaluation.intervals import RESAMPLES
from pricer.evaluation.leaderboard import leaderboard
from pricer.evaluation.matrix import paired_matrix
from pricer.evaluation.ranges import LEVELS, conformal_ranges, coverage
from pricer.evaluation.scoring import scored
from pricer.evaluation.slices import by_part, grid, weak_parts
from pricer.evaluation.suspects import suspects

SEED = 42
CATEGORIES = 12
REFERENCE_PAIRS = 3
AGREES = 0.1  # the widths of the two kinds of interval differ by less than this share


def make_exam(items: int) -> pl.DataFrame:
    """A graded table without guesses: prices and categories of a generated market."""
    random = np.random.default_rng(SEED)
    places = np.arange(items)
    return pl.DataFrame(
        {
            "item_id": [f"i{place:07}" for place in places],
            "title": [f"Product {place}" for place in places],
            "category": random.choice([f"Category {place}" for place in range(CATEGORIES)], items).tolist(),
            "price": random.lognormal(3.4, 1.0, items).clip(1, 999),
            "status": ["answer"] * items,
            "group": places.astype(np.uint64),
            "natural_rank": places,
            "balanced_rank": places,
            "characters": random.integers(100, 4000, items),
        }
    )


def make_runs(exam: pl.DataFrame, runs: int) -> list[GradedRun]:
    """Runs whose guesses are off by what all share and by what is their own, which differs in size."""
    random = np.random.default_rng(SEED + 1)
    shared = random.normal(0, 0.3, len(exam))
    made = []
    for place in range(runs):
        noise = shared + random.normal(0, 0.15 + 0.01 * place, len(exam))
        table = exam.with_columns(guess=pl.col("price") * pl.Series(np.exp(noise)))
        made.append(GradedRun(f"run {place}", f"run {place}", "words", "e" * 64, 50.0, table))
    return made


def reference_interval(prices: np.ndarray, guesses: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of how much more the first guesses err, from samples of the items."""
    frame = pd.DataFrame({"price": prices, "guess": guesses, "other": others})
    differences = []
    for seed in range(RESAMPLES):
        drawn = frame.sample(frac=1, replace=True, random_state=seed)
        error = mean_absolute_error(drawn["price"], drawn["guess"])
        differences.append(error - mean_absolute_error(drawn["price"], drawn["other"]))
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


def seconds(function: Callable[[], object], times: int = 3) -> float:
    found = []
    for _ in range(times):
        started = time.process_time()
        function()
        found.append(time.process_time() - started)
    return median(found)


def measure_reference(runs: list[GradedRun]) -> float:
    """The reference's seconds for a pair; ends the benchmark where its intervals are not those of Pricer."""
    matrix, by_id = paired_matrix(runs), {run.id: run.table for run in runs}
    pairs = list(matrix.pairs)
    started = time.process_time()
    found = {}
    for pair in pairs[:: max(1, len(pairs) // REFERENCE_PAIRS)][:REFERENCE_PAIRS]:
        run, other = (np.clip(by_id[name]["guess"].to_numpy(), 1, 999) for name in pair)
        found[pair] = reference_interval(by_id[pair[0]]["price"].to_numpy(), run, other)
    took = (time.process_time() - started) / len(found)
    for pair, (low, high) in found.items():
        ours = matrix.pairs[pair]
        if abs((ours.high - ours.low) / (high - low) - 1) > AGREES:
            sys.exit(f"{pair}: {ours.low:.3f} to {ours.high:.3f}, but the reference says {low:.3f} to {high:.3f}")
    return took


def measure(items: int, number: int) -> dict[str, float]:
    """Seconds of each part of Compare, and the ratios to the reference."""
    runs = make_runs(make_exam(items), number)
    table = scored(runs[0].table, 50.0)
    guesses, categories = table["guess"].to_numpy(), table["category"].to_list()
    validation = table.head(items // 2)

    def strip() -> None:
        for level in LEVELS:
            coverage(table["price"].to_numpy(), conformal_ranges(guesses, categories, validation, level))

    figures = {
        "leaderboard_seconds": seconds(lambda: leaderboard(runs)),
        "leaderboard_balanced_seconds": seconds(lambda: leaderboard(runs, "balanced")),
        "matrix_seconds": seconds(lambda: paired_matrix(runs)),
        "matrix_balanced_seconds": seconds(lambda: paired_matrix(runs, "balanced")),
        "matrix_joint_seconds": seconds(lambda: paired_matrix(runs, joint=True)),
        "by_category_seconds": seconds(lambda: by_part(table, "category")),
        "grid_seconds": seconds(lambda: grid(table)),
        "weak_parts_seconds": seconds(lambda: weak_parts(table)),
        "coverage_seconds": seconds(strip),
        "suspects_seconds": seconds(lambda: suspects(runs[:5])),
    }
    pair = measure_reference(runs)
    figures["reference_pair_seconds"] = pair
    figures["matrix_ratio"] = pair * number * (number - 1) / 2 / figures["matrix_seconds"]
    figures["leaderboard_ratio"] = pair * (number - 1) / figures["leaderboard_seconds"]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    options = parser.parse_args()
    figures = {name: round(figure, 4) for name, figure in measure(options.items, options.runs).items()}
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{options.runs:,} runs on {options.items:,} items")
    for name, figure in figures.items():
        print(f"  {name.replace('_', ' '):30} {figure:9.3f}")


if __name__ == "__main__":
    main()
