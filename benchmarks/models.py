"""How well models guess: errors over five folds of a catalogue, and what fitting takes.

    python benchmarks/models.py products.jsonl.gz          # two models, five folds each; minutes
    python benchmarks/models.py products.jsonl.gz --json
    python benchmarks/models.py products.jsonl.gz --baselines   # all of the notebooks' models; an hour
    python benchmarks/models.py products.jsonl.gz --models mean "bag-of-words words=2000"
    python benchmarks/models.py products.jsonl.gz --required   # what is promised of the stronger models; an hour
    python benchmarks/models.py products.jsonl.gz --required --every-baseline --folds 1   # beside all of the notebooks'
    python benchmarks/models.py --rows 60000               # generated products instead of a file
    python benchmarks/models.py --rows 60000 --costs   # processor seconds and memory of fitting, each in a process

The file is loaded as a catalogue in a folder that is removed at the end. All its items are dealt to five folds by
group, so that no near-duplicate of an item stands in another fold; each model is fitted on four folds and graded on
the fifth. The error is the mean absolute error in dollars of guesses clipped to 1 to 999, as on the leaderboard; all
of a catalogue's items are graded, its exam too, so nothing here may be used to choose settings for a leaderboard. The
ratio is the mean of the five folds' ratios; its interval is from 2,000 bootstraps that draw groups within folds.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import required
from pricer.catalogue.build import build_catalogue
from pricer.catalogue.demo import write_demo
from pricer.draws import draw
from pricer.errors import PricerError
from pricer.items import HIGHEST_SLOT, LOWEST_SLOT
from pricer.models import MODELS, Setting, make_model, without_price
from pricer.models.registry import find_kind

COMPARED = ("tfidf-ridge", "bag-of-words")
# The notebooks' models. The deep network is a quarter as wide as theirs, which takes a day on two cores.
BASELINES = (
    "random", "mean", "median", "category-median", "features", "bag-of-words", "bag-of-words words=2000",
    "word2vec-linear", "word2vec-svr", "word2vec-forest", "xgboost", "network", "deep-network width=1024",
)  # fmt: skip
FOLDS = 5
BOOTSTRAPS = 2000
SEED = 42
FOLD_STREAM = 5  # any number that is not a stream of Pricer's own draws


@dataclass(frozen=True)
class Graded:
    """A model's absolute errors on all items, each from the fold in which the item was not learned from."""

    errors: np.ndarray
    fit_seconds: list[float] = field(default_factory=list)


# Folds


def deal_folds(groups: np.ndarray) -> np.ndarray:
    """The fold, 0 to 4, of each item: groups are shuffled by a draw of their own and dealt one by one."""
    named, group_of_item = np.unique(groups, return_inverse=True)
    fold_of_group = np.empty(len(named), dtype=np.int64)
    fold_of_group[np.argsort(draw(named, FOLD_STREAM, SEED))] = np.arange(len(named)) % FOLDS
    return fold_of_group[group_of_item]


def read_model(words: str) -> tuple[str, dict[str, int | float]]:
    """A model's name, and its settings and seed: "bag-of-words words=2000", "bins seed=43"."""
    name, *stated = words.split()
    known = {setting.name: setting for setting in (*find_kind(name).settings, Setting("seed", SEED, 0, 2**31, ""))}
    pairs = [setting.split("=", 1) for setting in stated]
    return name, {"seed": SEED} | {setting: known[setting].parse(value) for setting, value in pairs}


def fit(words: str, train: pl.DataFrame):
    """A model fitted on these items, without a validation."""
    name, settings = read_model(words)
    return make_model(name, **settings).fit(train, train[:0])


def grade(words: str, items: pl.DataFrame, folds: np.ndarray) -> Graded:
    """Fit the model five times, each time on four folds, and grade it on the fifth."""
    graded = Graded(np.empty(len(items)))
    for fold in range(FOLDS):
        asked = folds == fold
        started = time.perf_counter()
        model = fit(words, items.filter(~asked))
        graded.fit_seconds.append(time.perf_counter() - started)
        exam = items.filter(asked)
        guesses = model.predict(without_price(exam)).clip(LOWEST_SLOT, HIGHEST_SLOT)
        graded.errors[asked] = np.abs(guesses - exam["price"].to_numpy())
    return graded


# Ratios


def fold_ratios(errors: np.ndarray, others: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """By fold, how many times the other's error an error is."""
    return np.bincount(folds, errors) / np.bincount(folds, others)


def ratio_interval(
    errors: np.ndarray, others: np.ndarray, groups: np.ndarray, folds: np.ndarray
) -> tuple[float, float, float]:
    """The mean of the folds' ratios, with its 95 % interval: percentiles over bootstraps of groups within folds.

    Both models keep their errors on a drawn group, so what both find hard cancels. The models are not fitted anew: the
    interval is of the items that were asked, not of what was learned from.
    """
    named, group_of_item = np.unique(groups, return_inverse=True)
    sums, other_sums = np.bincount(group_of_item, errors), np.bincount(group_of_item, others)
    fold_of_group = np.empty(len(named), dtype=np.int64)
    fold_of_group[group_of_item] = folds
    random = np.random.default_rng(SEED)
    ratios, count = np.zeros(BOOTSTRAPS), folds.max() + 1
    for fold in range(count):
        own = np.flatnonzero(fold_of_group == fold)
        for bootstrap in range(BOOTSTRAPS):
            drawn = random.choice(own, len(own))
            ratios[bootstrap] += sums[drawn].sum() / other_sums[drawn].sum() / count
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(fold_ratios(errors, others, folds).mean()), float(low), float(high)


# What is measured


def compare(items: pl.DataFrame, models: Sequence[str] = COMPARED) -> dict:
    """Errors and fit times of the models, by fold; of the two that are always compared, their ratio."""
    groups = items["group"].to_numpy()
    folds = deal_folds(groups)
    graded = {words: grade(words, items, folds) for words in models}
    by_fold = {words: (np.bincount(folds, of.errors) / np.bincount(folds)).tolist() for words, of in graded.items()}
    figures = {
        "items": len(items),
        "groups": len(np.unique(groups)),
        "error_dollars": {words: float(np.mean(errors)) for words, errors in by_fold.items()},
        "error_dollars_by_fold": by_fold,
        "fit_seconds": {words: float(np.median(of.fit_seconds)) for words, of in graded.items()},
    }
    if set(COMPARED) <= set(models):
        first, second = (graded[name].errors for name in COMPARED)
        ratio, low, high = ratio_interval(first, second, groups, folds)
        figures |= {
            "tfidf_over_bag_of_words": ratio,
            "tfidf_over_bag_of_words_low": low,
            "tfidf_over_bag_of_words_high": high,
            "ratio_by_fold": fold_ratios(first, second, folds).tolist(),
        }
    return figures


def show(figures: dict) -> None:
    count = len(next(iter(figures["error_dollars_by_fold"].values())))
    print(f"{figures['items']:,} items in {figures['groups']:,} groups, {count} folds; mean absolute error in dollars")
    print(f"  {'fold':24}" + "".join(f"{fold:>9}" for fold in range(1, count + 1)) + f"{'mean':>9}{'fit s':>8}")
    for words, errors in figures["error_dollars_by_fold"].items():
        told = "".join(f"{error:9.2f}" for error in [*errors, figures["error_dollars"][words]])
        print(f"  {words:24}{told}{figures['fit_seconds'][words]:8.1f}")
    if "best_single" in figures:
        print("\n".join(required.promises(figures)))
    if "ratio_by_fold" in figures:
        ratio = figures["tfidf_over_bag_of_words"]
        print(f"  {'ratio':24}" + "".join(f"{value:9.3f}" for value in [*figures["ratio_by_fold"], ratio]))
        low, high = figures["tfidf_over_bag_of_words_low"], figures["tfidf_over_bag_of_words_high"]
        print(f"{COMPARED[0]} has {ratio:.3f} of the error of {COMPARED[1]} (95 % interval {low:.3f} to {high:.3f})")


def costs(table: Path, item_count: int, models: Sequence[str]) -> dict:
    """Seconds and bytes that each model takes to be fitted on the table's items, in its own process, on one core."""
    measured = {"items": item_count}
    for words in models:
        name, settings = read_model(words)
        command = [sys.executable, __file__, str(table), "--fit-only", words]
        environment = os.environ | {"PRICER_WORKERS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, check=True, capture_output=True, env=environment)
        seconds, peak = json.loads(done.stdout)
        estimate = find_kind(name).estimate(item_count, **settings)  # which minds no seed
        measured[words] = {"seconds": seconds, "bytes": peak}
        measured[words] |= {"estimated_seconds": estimate.seconds, "estimated_bytes": estimate.bytes}
    return measured


def fit_only(table: Path, words: str) -> tuple[float, int]:
    """Read and fit as a run does; the processor's seconds, and the most bytes that this process held."""
    name, settings = read_model(words)
    started = time.process_time()
    make_model(name, **settings).fit(pl.read_parquet(table))
    return time.process_time() - started, peak_bytes()


def peak_bytes() -> int:
    """The most memory that this process held; on Linux rusage would count what its parent held when it started."""
    status = Path("/proc/self/status")
    if status.exists():
        [kib] = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(kib) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def show_costs(figures: dict) -> None:
    print(f"fitting on {figures['items']:,} items, each model in a process of its own, on one core")
    print(f"  {'':24}{'s':>8}{'estimate':>10}{'MB':>9}{'estimate':>10}")
    for words, cost in figures.items():
        if words == "items":
            continue
        print(f"  {words:24}{cost['seconds']:8.1f}{cost['estimated_seconds']:10.1f}"
              f"{cost['bytes'] / 1e6:9,.0f}{cost['estimated_bytes'] / 1e6:10,.0f}")  # fmt: skip


# The command


@contextmanager
def loaded_items(file: Path | None, rows: int):
    """A Parquet file with all items of a catalogue made of the file, or of generated rows, in an order of their own."""
    with tempfile.TemporaryDirectory(prefix="pricer-benchmark-") as folder:
        os.environ["PRICER_HOME"] = folder
        if file is None:
            file = Path(folder, "demo.jsonl.gz")
            write_demo(file, rows, SEED)
        table = Path(folder, "items.parquet")
        build_catalogue([file], "benchmark").items().collect().sort("item_id").write_parquet(table)
        yield table


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="JSON lines of raw metadata")
    parser.add_argument("--rows", type=int, default=20_000, help="generated rows where no FILE is given")
    parser.add_argument("--costs", action="store_true", help="measure seconds and memory of fitting instead")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--baselines", dest="models", action="store_const", const=BASELINES, help="the notebooks' models"
    )
    chosen.add_argument("--models", nargs="+", metavar="MODEL", help='such as "bag-of-words words=2000"')
    chosen.add_argument(
        "--every-baseline", dest="models", action="store_const", const=required.FIRST_EDITION + required.OTHERS,
        help="with --required: all of the notebooks' models, not the first one's seven",
    )  # fmt: skip
    parser.add_argument("--required", action="store_true", help="baselines, stronger models and their stack")
    parser.add_argument("--folds", type=int, metavar="N", help="with --required: grade the first N folds alone")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--fit-only", metavar="MODEL", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.fit_only:
        print(json.dumps(fit_only(options.file, options.fit_only)))
        return
    try:
        with loaded_items(options.file, options.rows) as table:
            items = pl.read_parquet(table)
            if options.costs:
                figures = costs(table, len(items), options.models or tuple(MODELS))
            elif options.required:
                baselines = options.models or required.FIRST_EDITION
                folds = deal_folds(items["group"].to_numpy())
                figures = required.measure(items, folds, fit, ratio_interval, baselines, options.folds)
            else:
                figures = compare(items, options.models or COMPARED)
    except PricerError as error:
        sys.exit(str(error))
    if options.json:
        print(json.dumps(figures))
    else:
        (show_costs if options.costs else show)(figures)


if __name__ == "__main__":
    main()
