"""What a fitted model has learned, as tables that a person can read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import polars as pl

MOST_ROWS = 15  # of a table; the rest weighs less


@dataclass(frozen=True)
class Learned:
    """One table: names in its first column, numbers in the others."""

    title: str
    note: str  # what the numbers are, in which unit
    table: pl.DataFrame


@runtime_checkable
class TellsWhatItLearned(Protocol):
    """A model that can say what it goes by."""

    def learned(self, train: pl.DataFrame) -> list[Learned]:
        """What the fitted model goes by; `train` holds items that it was fitted on, all or some, to take names from."""


def extremes(names: Sequence[str], values: np.ndarray, name: str, value: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The names with the greatest values above zero, and those with the least below it, as two tables."""
    table = pl.DataFrame({name: names, value: values}, schema={name: pl.String, value: pl.Float64})
    greatest = table.filter(pl.col(value) > 0).sort(value, name, descending=[True, False])
    least = table.filter(pl.col(value) < 0).sort(value, name)
    return greatest.head(MOST_ROWS), least.head(MOST_ROWS)


def shares(names: Sequence[str], values: np.ndarray, name: str) -> pl.DataFrame:
    """The names with the greatest shares of all values, which are not negative: name, share (0 to 1)."""
    table = pl.DataFrame(
        {name: names, "share": values / max(values.sum(), 1e-300)}, schema={name: pl.String, "share": pl.Float64}
    )
    summed = table.group_by(name).agg(pl.col("share").sum())
    return summed.filter(pl.col("share") > 0).sort("share", name, descending=[True, False]).head(MOST_ROWS)
