"""What leaks are worth to a run: its error on exam items that have a near-duplicate in train, and on clean ones."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pricer.evaluation.errors import asked
from pricer.evaluation.intervals import Interval, mean_interval
from pricer.evaluation.scoring import DEFAULT, Scoring, scored


@dataclass(frozen=True)
class LeakErrors:
    """Mean errors in dollars with their 95 % intervals, and how many items each is of.

    Leaked and clean items differ in more than leaking, in price to begin with. So beside each error stands that of a
    constant guess, the train median, on the same items (None where there are none).
    """

    leaked: Interval
    leaked_items: int
    leaked_constant: float | None
    clean: Interval
    clean_items: int
    clean_constant: float | None
    difference: Interval  # leaked less clean: below zero where a run errs less on what it may know by heart

    @property
    def differs(self) -> bool:
        """Whether the difference is more than chance: its interval leaves zero out."""
        _, low, high = self.difference
        return low is not None and high is not None and not low <= 0 <= high


def leak_errors(
    graded: pl.DataFrame, train_median: float, k: int | None = None, seed: int = 0, scoring: Scoring = DEFAULT
) -> LeakErrors:
    """Compare a run's errors on leaked and on clean items; `graded` is the table of a `GradedRun`, with leaked (bool).

    Near-duplicates leak together, so no group is on both sides, and the two are resampled apart.
    """
    table = scored(asked(graded, "natural", k), train_median, scoring)
    error, group, leaked, price = (table[name].to_numpy() for name in ("error", "group", "leaked", "price"))
    sides = [mean_interval(error[side], group[side], seed=seed) for side in (leaked, ~leaked)]
    constants = [_mean(np.abs(price[side] - train_median)) for side in (leaked, ~leaked)]
    difference = Interval(None, None, None)
    if leaked.any() and not leaked.all():
        # The mean of the two sides' means, of which one is turned round, is the difference of the means.
        difference = mean_interval(np.where(leaked, 2.0, -2.0) * error, group, leaked.astype(np.int64), seed)
    above_zero = [side._replace(low=None if side.low is None else max(0.0, side.low)) for side in sides]
    return LeakErrors(
        leaked=above_zero[0],
        leaked_items=int(leaked.sum()),
        leaked_constant=constants[0],
        clean=above_zero[1],
        clean_items=int((~leaked).sum()),
        clean_constant=constants[1],
        difference=difference,
    )


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
