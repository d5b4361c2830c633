"""Two runs on the same items: which one errs less, and whether that is more than chance."""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from pricer.errors import PricerError
from pricer.evaluation.errors import GradedRun, Metrics, Reading, asked, price_bands
from pricer.evaluation.intervals import Interval, mean_interval
from pricer.evaluation.scoring import DEFAULT, Scoring, scored

LEAST_SHARE = 0.8  # of the items of the run with most, which a run needs for a place
NOTHING = 0.005  # dollars: two runs of one recipe may differ by rounding alone, surely and yet by nothing

NORMAL = 1.959964  # standard errors that a 95 % interval of many items reaches to either side
_POWER = 0.841621  # as many more leave zero outside with a chance of 80 %


@dataclass(frozen=True)
class Paired:
    """How many dollars more the first run errs than the second, on the items that both were asked."""

    difference: float | None  # below zero where the first run is better; None without common items
    low: float | None
    high: float | None
    items: int
    tied: bool  # the interval holds zero, or there is none, or the difference is below half a cent
    items_to_settle: int | None  # about how many would break the tie; None without one, or where nothing differs


def paired(
    a: GradedRun,
    b: GradedRun,
    reading: Reading = "natural",
    k: int | None = None,
    seed: int = 0,
    scoring: Scoring = DEFAULT,
) -> Paired:
    """Compare two runs item by item, a no-answer scored as its run's train median.

    Raises PricerError where they were graded on different exams.
    """
    require_same_exam([a, b])
    ours, theirs = (scored(asked(run.table, reading, k), run.train_median, scoring) for run in (a, b))
    common = ours.join(theirs.select("item_id", pl.col("error").alias("other")), on="item_id", maintain_order="left")
    difference = (common["error"] - common["other"]).to_numpy()
    bands = price_bands(common) if reading == "balanced" else None
    return compare(mean_interval(difference, common["group"].to_numpy(), bands, seed), len(common))


def compare(interval: Interval, items: int, quantile: float = NORMAL) -> Paired:
    """Read a comparison off the mean difference and its interval, which reaches so many standard errors."""
    difference, low, high = interval
    if difference is not None and abs(difference) < NOTHING:
        return Paired(difference, low, high, items, tied=True, items_to_settle=None)
    tied = low is None or high is None or low <= 0 <= high
    return Paired(difference, low, high, items, tied, _items_to_settle(interval, items, quantile) if tied else None)


def _items_to_settle(interval: Interval, items: int, quantile: float) -> int | None:
    """How many items would leave zero outside the interval with a chance of 80 %, were this the true difference.

    The interval narrows with the root of the number of items; the sample size of a two-sided test (Cohen, 1988).
    """
    if not interval.mean or interval.high is None:
        return None
    ratio = (interval.high - interval.mean) / interval.mean
    needed = items * ((quantile + _POWER) / quantile * ratio) ** 2
    return math.ceil(needed) if math.isfinite(needed) else None


def ranked(runs: list[GradedRun], found: list[Metrics], reading: Reading) -> tuple[list[int], list[str | None]]:
    """The order of runs by their error, those with a place first; and why a run has none, one a run.

    Errors can be ranked that were measured on nearly the same: a run needs 80 % of the items of the run that has most,
    or five lucky items would win; and in the balanced reading every price band that others have. The rest comes after.
    """
    most_items = max((each.items for each in found), default=0)
    most_bands = max((each.bands for each in found), default=0)
    reasons: list[str | None] = []
    for each in found:
        few = each.items < max(1, LEAST_SHARE * most_items)
        lacks = reading == "balanced" and each.bands < most_bands
        told = f"under {LEAST_SHARE:.0%} of {most_items:,} items"
        reasons.append(told if few else "a price band missing" if lacks else None)
    order = sorted(
        range(len(runs)),
        key=lambda i: (bool(reasons[i]), found[i].error is None, found[i].error or 0.0, runs[i].name, runs[i].id),
    )
    return order, reasons


def require_same_exam(runs: list[GradedRun]) -> None:
    """Raise PricerError unless all runs were graded on one exam."""
    other = next((run for run in runs if run.exam_hash != runs[0].exam_hash), None)
    if other:
        raise PricerError(
            f"{runs[0].name!r} and {other.name!r} were graded on different exams ({runs[0].exam_hash[:8]} and "
            f"{other.exam_hash[:8]}); only runs on the same exam can be compared"
        )


def error_matrix(tables: list[pl.DataFrame]) -> tuple[pl.DataFrame, np.ndarray]:
    """All items of scored tables, each once, and their (items, tables) errors: NaN where a run was not asked."""
    first = tables[0]
    if all(table["item_id"].equals(first["item_id"]) for table in tables):
        return first, np.column_stack([table["error"].to_numpy() for table in tables])
    items = pl.concat([table.select("item_id", "price", "group") for table in tables]).unique("item_id").sort("item_id")
    columns = [
        items.join(table.select("item_id", "error"), on="item_id", how="left", maintain_order="left")["error"]
        for table in tables
    ]
    return items, np.column_stack([column.fill_null(np.nan).to_numpy() for column in columns])
