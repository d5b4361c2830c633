"""Models that look at no product: what a real one has to beat."""

from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from pricer.models.saving import SavedArrays, make_saved, save_model
from pricer.models.tables import train_prices
from pricer.progress import Report, silent


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
