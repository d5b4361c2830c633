"""The first notebook's engineered features, and a straight line through them."""

import math
from pathlib import Path
from typing import Self

import numpy as np
import orjson
import polars as pl

from pricer.catalogue.scrub import weight_pounds
from pricer.models.learned import Learned
from pricer.models.saving import SavedArrays, make_saved, save_model
from pricer.models.tables import numbers_of, texts_of, train_prices
from pricer.progress import Report, Step, silent

FEATURES = ("item weight in pounds", "best-seller rank", "text length", "top electronics brand")
TOP_ELECTRONICS_BRANDS = frozenset({"hp", "dell", "lenovo", "samsung", "asus", "sony", "canon", "apple", "intel"})
MOST_FREQUENT = 40  # of detail names and brands, as the notebook lists them


class Features:
    """Ordinary least squares on four features of an item.

    Item weight in pounds and mean best-seller rank, each the mean of train where an item states none; characters of its
    text; and whether its brand is one of nine makers of electronics. The notebook took the length of the whole prompt:
    it is longer by a constant, which the intercept takes up. A negative guess becomes 0.
    """

    name = "features"

    def __init__(self, seed: int = 42):
        self.seed = seed  # not used: nothing is drawn

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        from sklearn.linear_model import LinearRegression

        prices = train_prices(train)
        report(Step("Fitting", len(train), "items"))
        stated = _features(train)
        self.fills_ = np.array([_mean(column[np.isfinite(column)]) for column in stated.T])
        line = LinearRegression().fit(np.where(np.isnan(stated), self.fills_, stated), prices)
        self.weights_, self.intercept_ = line.coef_, float(line.intercept_)
        return self

    @property
    def coefficients_(self) -> pl.DataFrame:
        """What each feature adds to a guess: feature, dollars for one more of it, and what stands in where none is."""
        return pl.DataFrame({"feature": FEATURES, "dollars": self.weights_, "where none": self.fills_})

    def learned(self, train: pl.DataFrame) -> list[Learned]:
        start = f"dollars for one more of it, from ${self.intercept_:,.2f}, and what stands in where none is stated"
        stated_in = f"in how many of {len(train):,} items of train"
        return [
            Learned("Coefficients", start, self.coefficients_),
            Learned("Details most often stated", stated_in, detail_frequencies(train)),
            Learned("Brands most often stated", stated_in, brand_frequencies(train)),
        ]

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        stated = _features(items)
        features = np.where(np.isnan(stated), self.fills_, stated)
        return np.maximum((features * self.weights_).sum(axis=1) + self.intercept_, 0.0)

    def save(self, folder: Path) -> None:
        save_model(self, folder, {"weights": self.weights_, "fills": self.fills_, "intercept": self.intercept_})

    @classmethod
    def load(cls, folder: Path) -> Self:
        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        model.weights_, model.fills_ = (
            arrays.take(name, np.float64, (len(FEATURES),)) for name in ("weights", "fills")
        )
        model.intercept_ = arrays.number("intercept")
        return model


def detail_frequencies(items: pl.DataFrame) -> pl.DataFrame:
    """How many items state each of the 40 most frequent details: name, items."""
    return _most_frequent(name for details in _details(items) for name in details)


def brand_frequencies(items: pl.DataFrame) -> pl.DataFrame:
    """How many items are of each of the 40 most frequent brands: name, items."""
    return _most_frequent(brand for brand in map(_brand, _details(items)) if brand)


def _most_frequent(names) -> pl.DataFrame:
    counted = pl.DataFrame({"name": list(names)}, schema={"name": pl.String}).group_by("name").len("items")
    return counted.sort("items", "name", descending=[True, False]).head(MOST_FREQUENT)


def _features(items: pl.DataFrame) -> np.ndarray:
    """The features of each item: float64 (n, 4), NaN where an item states no weight or rank."""
    every = _details(items)
    is_top = [_brand(details).lower() in TOP_ELECTRONICS_BRANDS for details in every]
    lengths = [len(text) for text in texts_of(items, "text")]
    columns = (list(map(_item_weight, every)), numbers_of(items, "rank"), lengths, is_top)
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


def _details(items: pl.DataFrame) -> list[dict]:
    return [orjson.loads(details or "{}") for details in texts_of(items, "details")]


def _brand(details: dict) -> str:
    brand = details.get("Brand")
    return brand.strip() if isinstance(brand, str) else ""


def _item_weight(details: dict) -> float:
    """Pounds; NaN where only the parcel's weight is stated, or none: the notebook read the item's alone."""
    pounds = weight_pounds({"Item Weight": details.get("Item Weight", "")})
    return math.nan if pounds is None else pounds


def _mean(numbers: np.ndarray) -> float:
    return float(numbers.mean()) if len(numbers) else 0.0
