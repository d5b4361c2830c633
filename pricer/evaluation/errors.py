"""How far a run's guesses are from the prices: every figure of the leaderboard, natural or balanced."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from pricer.catalogue.roles import BANDS
from pricer.evaluation.intervals import mean_interval
from pricer.evaluation.scoring import DEFAULT, Scoring, scored

Reading = Literal["natural", "balanced"]
WITHIN = 0.2  # the share of the price within which a guess counts as close


@dataclass(frozen=True)
class GradedRun:
    """A run as evaluation sees it.

    `table` has one row an exam item that was asked: item_id, price, guess (null or not finite where there is none),
    status ("answer", "refusal", "unparsable" or "failed"), group, category, title, and natural_rank and balanced_rank
    from 0, null outside that exam. For an exam of a dataset's own it has leaked (bool): a near-duplicate is in train.
    """

    id: str
    name: str
    family: str
    exam_hash: str
    train_median: float  # dollars; what a no-answer is scored as
    table: pl.DataFrame


@dataclass(frozen=True)
class Metrics:
    """What a run's guesses are worth; None where there is nothing to measure. Dollars, or shares from 0 to 1.

    All but `error_answered` are computed on every row of a scored table, where by default guesses are clipped to $1 to
    $999 and a no-answer is scored as the train median; yet a no-answer is never within 20 %, good or fair. In the
    balanced reading every price band that has items weighs the same.
    """

    items: int
    bands: int  # price bands with an item, of eight
    error: float | None = None  # mean absolute error
    error_low: float | None = None  # its 95 % interval
    error_high: float | None = None
    error_answered: float | None = None  # on answers alone
    share_answered: float | None = None
    within_20: float | None = None
    median_error: float | None = None
    bias: float | None = None  # mean of guess - price: above zero where guesses are too dear
    mape: float | None = None  # mean of error / price
    rmsle: float | None = None  # root mean square of ln(1 + guess) - ln(1 + price)
    rmse: float | None = None
    r2: float | None = None  # 1 - squared errors / squared deviations of the prices from their mean
    hits: float | None = None  # share of good guesses; good, fair and poor add up to 1
    fair: float | None = None
    poor: float | None = None


def asked(graded: pl.DataFrame, reading: Reading = "natural", k: int | None = None) -> pl.DataFrame:
    """The rows of an exam, natural or balanced, or its first k, in the exam's order."""
    rank = pl.col(f"{reading}_rank")
    chosen = graded.filter(rank.is_not_null() if k is None else rank < k)
    return chosen.sort(rank)


def metrics(
    graded: pl.DataFrame,
    train_median: float,
    reading: Reading = "natural",
    k: int | None = None,
    scoring: Scoring = DEFAULT,
    seed: int = 0,
) -> Metrics:
    """Every figure of one run, with the interval of its error.

    >>> table = pl.DataFrame({"price": [10.0, 200.0], "guess": [4999.99, 150.0], "status": ["answer", "answer"]})
    >>> table = table.with_columns(natural_rank=pl.Series([0, 1]), group=pl.Series([7, 8], dtype=pl.UInt64))
    >>> metrics(table, train_median=50.0).error  # (999 - 10 + 50) / 2
    519.5
    """
    table = scored(asked(graded, reading, k), train_median, scoring)
    bands = price_bands(table) if reading == "balanced" else None
    interval = mean_interval(table["error"].to_numpy(), table["group"].to_numpy(), bands, seed)
    return with_interval(point_metrics(table, reading), interval.low, interval.high)


def with_interval(found: Metrics, low: float | None, high: float | None) -> Metrics:
    """Metrics with the interval of their error, which cannot be below zero."""
    return replace(found, error_low=None if low is None else max(0.0, low), error_high=high)


def point_metrics(table: pl.DataFrame, reading: Reading = "natural") -> Metrics:
    """The figures of a scored table, without an interval."""
    if table.is_empty():
        return Metrics(items=0, bands=0)
    price, guess, error = (table[name].to_numpy() for name in ("price", "scored_guess", "error"))
    answered, colour = table["answered"].to_numpy(), table["colour"].to_numpy()
    parts = parts_of(table, reading)
    weight = weights(parts)

    def mean(values: np.ndarray) -> float:
        return float(weight @ values)

    logs = np.log1p(guess) - np.log1p(price)
    deviation = mean((price - mean(price)) ** 2)
    return Metrics(
        items=len(table),
        bands=len(np.unique(price_bands(table))),
        error=mean(error),
        error_answered=float(weights(parts[answered]) @ error[answered]) if answered.any() else None,
        share_answered=mean(answered),
        within_20=mean(answered & (error <= WITHIN * price)),
        median_error=weighted_median(error, weight),
        bias=mean(guess - price),
        mape=mean(error / price),
        rmsle=math.sqrt(mean(logs**2)),
        rmse=math.sqrt(mean(error**2)),
        r2=1 - mean(error**2) / deviation if deviation > 1e-12 * mean(price) ** 2 else None,
        hits=mean(colour == "good"),
        fair=mean(colour == "fair"),
        poor=mean(colour == "poor"),
    )


def worst(table: pl.DataFrame, most: int = 20) -> pl.DataFrame:
    """The answers of a scored table that err most in dollars, the worst first."""
    return table.filter("answered").sort(["error", "item_id"], descending=[True, False]).head(most)


def price_bands(table: pl.DataFrame) -> np.ndarray:
    """The band of every price: its place in `pricer.catalogue.roles.BANDS`."""
    return np.searchsorted(BANDS, table["price"].to_numpy(), side="right") - 1


def parts_of(table: pl.DataFrame, reading: Reading) -> np.ndarray:
    """The part of every item that weighs as much as any other part: its price band, or in the natural reading all."""
    return price_bands(table) if reading == "balanced" else np.zeros(len(table), dtype=np.int64)


def weights(parts: np.ndarray) -> np.ndarray:
    """What each item counts in a mean, adding up to one, where every part weighs the same: float64 (items,)."""
    _, place, sizes = np.unique(parts, return_inverse=True, return_counts=True)
    return 1 / (len(sizes) * sizes[place])


def weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    """The value with half of the weight on either side, or the middle of two; weights add up to one."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    lower, upper = np.searchsorted(reached, [0.5 - 1e-9, 0.5 + 1e-9])
    return float(values[order[[lower, upper]]].mean())
