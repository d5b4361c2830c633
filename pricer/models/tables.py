"""What models take from a table of items."""

import numpy as np
import polars as pl

from pricer.errors import PricerError
from pricer.items import HIGHEST_SLOT, LOWEST_SLOT


def train_prices(train: pl.DataFrame) -> np.ndarray:
    """The prices of train in dollars; PricerError if there are none."""
    if train.is_empty():
        raise PricerError("train has no items: choose a dataset with some")
    return train["price"].to_numpy()


def mean_error(guesses: np.ndarray, prices: np.ndarray) -> float:
    """The mean absolute error in dollars, as the leaderboard counts it: guesses clipped to $1 to $999."""
    return float(np.abs(guesses.clip(LOWEST_SLOT, HIGHEST_SLOT) - prices).mean())


def texts_of(items: pl.DataFrame, column: str) -> list[str]:
    """A column of texts; nothing is an empty text."""
    if column not in items.columns:
        raise PricerError(f"the items have no column {column!r}; they have {', '.join(items.columns)}")
    return items[column].cast(pl.String).fill_null("").to_list()


def numbers_of(items: pl.DataFrame, column: str) -> np.ndarray:
    """A column of numbers: float64, NaN where there is none or it is not finite."""
    if column not in items.columns:
        raise PricerError(f"the items have no column {column!r}; they have {', '.join(items.columns)}")
    numbers = items[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isfinite(numbers), numbers, np.nan)
