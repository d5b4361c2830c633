"""Models that read no description: what a real one has to beat."""

from pathlib import Path
from typing import Self

import numpy as np
import polars as pl
import xxhash

from pricer.items import HIGHEST_SLOT, LOWEST_SLOT
from pricer.models.learned import Learned
from pricer.models.saving import SavedArrays, make_saved, read_words, save_model
from pricer.models.tables import texts_of, train_prices
from pricer.progress import Report, silent


class Random:
    """Whole dollars at random, from $1 to $999, each as likely: the first notebook's first yardstick.

    A product's guess is drawn from the hash of its title and the seed, so it stays the same in any order and company.
    """

    name = "random"

    def __init__(self, seed: int = 42):
        self.seed = seed

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        train_prices(train)
        self.lowest_, self.highest_ = float(LOWEST_SLOT), float(HIGHEST_SLOT)
        return self

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        hashes = [xxhash.xxh3_64_intdigest(title.encode(), self.seed) for title in texts_of(items, "title")]
        slots = int(self.highest_ - self.lowest_) + 1
        return np.array([self.lowest_ + drawn % slots for drawn in hashes], dtype=np.float64)

    def save(self, folder: Path) -> None:
        save_model(self, folder, {"lowest": self.lowest_, "highest": self.highest_})

    @classmethod
    def load(cls, folder: Path) -> Self:
        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        model.lowest_ = arrays.number("lowest")
        model.highest_ = max(model.lowest_, arrays.number("highest"))
        return model


class Mean:
    """The mean price of train, in dollars."""

    name = "mean"

    def __init__(self, seed: int = 42):
        self.seed = seed  # not used: nothing is drawn

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        self.mean_ = float(train_prices(train).mean())
        return self

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        return np.full(len(items), self.mean_)

    def save(self, folder: Path) -> None:
        save_model(self, folder, {"mean": self.mean_})

    @classmethod
    def load(cls, folder: Path) -> Self:
        model = make_saved(folder, cls.name)
        model.mean_ = SavedArrays(folder).number("mean")
        return model


class Median:
    """The median price of train, in dollars: of all constants the one with the least mean absolute error on train."""

    name = "median"

    def __init__(self, seed: int = 42):
        self.seed = seed  # not used: nothing is drawn

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        self.median_ = float(np.median(train_prices(train)))
        return self

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        return np.full(len(items), self.median_)

    def save(self, folder: Path) -> None:
        save_model(self, folder, {"median": self.median_})

    @classmethod
    def load(cls, folder: Path) -> Self:
        model = make_saved(folder, cls.name)
        model.median_ = SavedArrays(folder).number("median")
        return model


class CategoryMedian:
    """The median price of the item's category in train; of all train where train has no such category."""

    name = "category-median"

    def __init__(self, seed: int = 42):
        self.seed = seed  # not used: nothing is drawn

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        self.median_ = float(np.median(train_prices(train)))
        named = train.select("price", category=pl.Series(texts_of(train, "category"), dtype=pl.String))
        medians = named.group_by("category").agg(pl.col("price").median()).sort("category")
        self.categories_ = medians["category"].to_list()
        self.medians_ = medians["price"].to_numpy()
        return self

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        median_of = dict(zip(self.categories_, self.medians_, strict=True))
        guesses = [median_of.get(category, self.median_) for category in texts_of(items, "category")]
        return np.array(guesses, dtype=np.float64)

    def learned(self, train: pl.DataFrame) -> list[Learned]:
        table = pl.DataFrame({"category": self.categories_, "dollars": self.medians_})
        note = f"the median price of each; any other category is guessed at ${self.median_:,.2f}"
        return [Learned("Categories", note, table.sort("dollars", descending=True))]

    def save(self, folder: Path) -> None:
        save_model(self, folder, {"median": self.median_, "medians": self.medians_}, self.categories_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        model.categories_ = read_words(folder)
        model.medians_ = arrays.take("medians", np.float64, (len(model.categories_),))
        model.median_ = arrays.number("median")
        return model
