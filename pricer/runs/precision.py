"""How wide the 95 % interval of a run's error will be, before it is asked: what k items of the exam will buy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.evaluation.errors import Reading, asked, price_bands
from pricer.evaluation.scoring import scored
from pricer.runs.store import Run
from pricer.runs.training import Order

_Z = 1.96  # the 97.5 % quantile of the normal distribution
MOST_RUNS = 5  # whose errors are looked at, the newest
FEWEST = 30  # items of a run, or its spread is chance


@dataclass(frozen=True)
class Precision:
    """About how far the error will be known: the interval is the error ± half_width, in dollars."""

    half_width: float
    items: int
    source: str  # what the errors' spread is taken from, in words


def expected_precision(
    order: Order, dataset: Dataset, runs: Sequence[Run], reading: Reading, items: int
) -> Precision | None:
    """The half width of the 95 % interval that so many items of an exam will give; None where nothing is known.

    The spread of the errors is that of the newest run of the same model on this exam; else the median of other models'
    runs; else that of a constant guess, which errs by how far a price is from the median.
    """
    if items < 2:
        return None
    try:
        spreads, source = _spreads(order, dataset, runs, reading)
    except FileNotFoundError:  # a part of the dataset is gone, which another line tells
        return None
    return Precision(half_width(spreads, items), items, source) if spreads else None


def half_width(spreads: Sequence[float], items: int) -> float:
    """Half of the 95 % interval of a mean error, from the errors' standard deviation in each part of the exam.

    The mean of n independent errors has the standard error s / √n, and 1.96 of them lie to either side (Cochran, 1977,
    "Sampling Techniques", 2.5). The balanced exam is a stratified sample with as many items in each of B bands, whose
    means weigh the same: √(Σ s² / n) / B with each band's own s and n = items / B (5.3). What is reported in the end is
    a bootstrap-t, a little wider where few dear items decide.

    >>> half_width([50.0], 100)
    9.8
    """
    bands = len(spreads)
    return _Z * math.sqrt(sum(spread**2 for spread in spreads) * bands / items) / bands


def _spreads(order: Order, dataset: Dataset, runs: Sequence[Run], reading: Reading) -> tuple[list[float], str]:
    """The standard deviation of the errors in each part of the exam, and where it comes from."""
    exam = dataset.exam().select("item_id", "price", "natural_rank", "balanced_rank").collect()
    near = [run for run in runs if run.manifest.exam_hash == dataset.manifest.exam_hash]
    same = [run for run in near if run.manifest.model == order.model]
    found = [spreads for run in (same[:1] or near[:MOST_RUNS]) if (spreads := _of_run(run, exam, reading))]
    if found:
        words = f"the errors of {same[0].name}" if same else f"the errors of {len(found)} other runs on this exam"
        return np.median(found, axis=0).tolist(), words.replace("1 other runs", "another run")
    table = asked(exam, reading)
    off = (table["price"] - table["price"].median()).abs().to_numpy()
    return _by_band(off, table, reading), "the prices alone, as no run was asked enough of this exam yet"


def _of_run(run: Run, exam: pl.DataFrame, reading: Reading) -> list[float]:
    """A run's spreads; empty where it was asked too little of this reading, or its folder is gone."""
    try:
        guesses = run.guesses().select("item_id", "guess", "status")
        table = asked(guesses.join(exam, on="item_id").with_columns(run.natural_rank()), reading)
    except (OSError, PricerError):
        return []
    if len(table) < FEWEST:
        return []
    judged = scored(table, run.manifest.train_median)
    return _by_band(judged["error"].to_numpy(), judged, reading)


def _by_band(values: np.ndarray, table: pl.DataFrame, reading: Reading) -> list[float]:
    """The standard deviation within each price band that the balanced exam has; of all items in the natural one."""
    if reading == "natural":
        return [float(values.std(ddof=1))] if len(values) > 1 else []
    bands = price_bands(table)
    return [float(values[bands == band].std(ddof=1)) if (bands == band).sum() > 1 else 0.0 for band in np.unique(bands)]
