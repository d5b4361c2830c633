"""The leaderboard: runs on one exam, best first, with what is tied with the first."""

from collections import defaultdict
from dataclasses import asdict, fields

import numpy as np
import polars as pl

from pricer.evaluation.comparison import Paired, compare, error_matrix, ranked, require_same_exam
from pricer.evaluation.errors import (
    GradedRun,
    Metrics,
    Reading,
    asked,
    point_metrics,
    price_bands,
    with_interval,
)
from pricer.evaluation.intervals import Interval, mean_intervals
from pricer.evaluation.scoring import DEFAULT, Scoring, scored

SCHEMA = {
    "place": pl.Int64,  # from 1; null for a run that has too few items, or lacks a price band that others have
    "without_place": pl.String,  # why, in words
    "run": pl.String,
    "name": pl.String,
    "family": pl.String,
    **{field.name: pl.Int64 if field.type is int else pl.Float64 for field in fields(Metrics)},
    "difference": pl.Float64,  # how many dollars more the run errs than the first, on the items that both were asked
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "common_items": pl.Int64,
    "tied_with_first": pl.Boolean,
    "items_to_settle": pl.Int64,
}


def leaderboard(
    runs: list[GradedRun],
    reading: Reading = "natural",
    k: int | None = None,
    scoring: Scoring = DEFAULT,
    seed: int = 0,
) -> pl.DataFrame:
    """One row a run, with every field of `Metrics` and the paired comparison with the first; columns as in `SCHEMA`.

    The first is the run with the smallest error of those that have a place, as `comparison.ranked` says. Those without
    are listed last, with their figures and their difference from the first on the items that both were asked; they are
    not called tied, for on few items everything is.
    Raises PricerError where the runs were graded on different exams.
    """
    require_same_exam(runs)
    tables = [scored(asked(run.table, reading, k), run.train_median, scoring) for run in runs]
    found = [point_metrics(table, reading) for table in tables]
    order, reasons = ranked(runs, found, reading)
    if all(reasons):
        return pl.DataFrame(
            [_row(runs[i], None, reasons[i], found[i], compare(_NOTHING, 0)) for i in order], schema=SCHEMA
        )
    intervals, comparisons = _intervals(tables, order[0], reading, seed)
    rows = []
    for place, i in enumerate(order, start=1):
        measured = with_interval(found[i], intervals[i].low, intervals[i].high)
        rows.append(_row(runs[i], None if reasons[i] else place, reasons[i], measured, comparisons[i]))
    return pl.DataFrame(rows, schema=SCHEMA)


_NOTHING = Interval(None, None, None)


def _row(run: GradedRun, place: int | None, why: str | None, measured: Metrics, against_first: Paired) -> dict:
    return {
        "place": place,
        "without_place": why,
        "run": run.id,
        "name": run.name,
        "family": run.family,
        **asdict(measured),
        "difference": against_first.difference,
        "difference_low": against_first.low,
        "difference_high": against_first.high,
        "common_items": against_first.items,
        "tied_with_first": place is not None and against_first.tied,
        "items_to_settle": against_first.items_to_settle,
    }


def _intervals(
    tables: list[pl.DataFrame], first: int, reading: Reading, seed: int
) -> tuple[list[Interval], list[Paired]]:
    """The interval of every run's error, and its comparison with the first."""
    items, errors = error_matrix(tables)
    columns = np.hstack([errors, errors - errors[:, [first]]])
    groups = items["group"].to_numpy()
    bands = price_bands(items) if reading == "balanced" else None
    known = ~np.isnan(columns)
    found = _intervals_by_items(columns, known, groups, bands, seed)
    runs = len(tables)
    comparisons = [compare(found[runs + i], int(known[:, runs + i].sum())) for i in range(runs)]
    return found[:runs], comparisons


def _intervals_by_items(
    columns: np.ndarray, known: np.ndarray, groups: np.ndarray, bands: np.ndarray | None, seed: int
) -> list[Interval]:
    """Columns that have the same items share their resamples: a leaderboard of thirty runs draws them once."""
    alike = defaultdict(list)
    for column in range(columns.shape[1]):
        alike[known[:, column].tobytes()].append(column)
    found = [_NOTHING] * columns.shape[1]
    for members in alike.values():
        rows = known[:, members[0]]
        values = columns[np.ix_(rows, members)]
        parts = mean_intervals(values, groups[rows], None if bands is None else bands[rows], seed)
        for member, interval in zip(members, parts, strict=True):
            found[member] = interval
    return found
