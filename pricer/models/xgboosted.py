"""The second notebook's gradient boosting: trees on word counts, each correcting those before it."""

from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from pricer import settings
from pricer.models import trees
from pricer.models.learned import Learned, shares
from pricer.models.rounds import VALIDATED, rounds_told
from pricer.models.saving import SavedArrays, make_saved, read_words, save_model
from pricer.models.tables import mean_error, texts_of, train_prices
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from xgboost import Booster, XGBRegressor

LEARNING_RATE = 0.1


class XGBoost:
    """XGBoost (Chen and Guestrin, 2016) on counts of the most frequent words, with squared error on the price.

    As in the second notebook: 2,000 words without English stop words, 1,000 trees of depth 6, learning rate 0.1. A word
    that a text does not have is missing, not zero, as XGBoost reads a sparse table. A negative guess becomes 0.
    """

    name = "xgboost"

    def __init__(self, words: int = 2000, trees: int = 1000, seed: int = 42):
        self.words = words
        self.trees = trees
        self.seed = seed

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        from sklearn.feature_extraction.text import CountVectorizer

        prices, texts = train_prices(train), texts_of(train, "text")
        report(Step("Counting words", len(texts), "items"))
        counter = CountVectorizer(max_features=self.words, stop_words="english", dtype=np.float32)
        split = counter.build_analyzer()
        usable = any(split(text) for text in texts)
        counts = counter.fit_transform(texts if usable else ["no words"] * len(texts))
        self.words_ = counter.get_feature_names_out().tolist()
        held_out = None
        if validation is not None and len(validation):
            some = validation[:VALIDATED]
            held_out = counter.transform(texts_of(some, "text")), some["price"].to_numpy()
        # XGBoost 3.2 takes it that a row's columns ascend; else it writes past its memory where no word is missing.
        counts.sort_indices()
        booster = self._boost(counts, prices, held_out, report).get_booster()
        self.trees_, self.start_dollars_ = trees.from_xgboost(booster)
        return self

    def _boost(
        self,
        counts: "csr_matrix",
        prices: np.ndarray,
        held_out: tuple["csr_matrix", np.ndarray] | None,
        report: Report,
    ) -> "XGBRegressor":
        from xgboost import XGBRegressor

        def error(booster: "Booster") -> float:
            return mean_error(booster.inplace_predict(held_out[0]), held_out[1])

        return XGBRegressor(
            n_estimators=self.trees,
            learning_rate=LEARNING_RATE,
            random_state=self.seed % 2**31,
            n_jobs=settings.worker_count(),
            callbacks=[rounds_told(self.trees, report, error if held_out else None)],
        ).fit(counts, prices, eval_set=[(counts, prices), *([held_out] if held_out else [])], verbose=False)

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        from sklearn.feature_extraction.text import CountVectorizer

        texts = texts_of(items, "text")
        guesses = np.zeros(len(texts))
        counter = CountVectorizer(stop_words="english", vocabulary=self.words_, dtype=np.float32)
        for start in range(0, len(texts), trees.ROWS_AT_ONCE):
            some = slice(start, start + trees.ROWS_AT_ONCE)
            counts = counter.transform(texts[some]).toarray()
            guesses[some] = self.trees_.leaf_values(np.where(counts > 0, counts, np.nan)).sum(axis=1)
        return np.maximum(guesses + self.start_dollars_, 0.0)

    def learned(self, train: pl.DataFrame) -> list[Learned]:
        gained = shares(self.words_, self.trees_.gains(len(self.words_)), "word")
        return [Learned("Words that trees ask for", "share of what all questions bettered the fit of train", gained)]

    def save(self, folder: Path) -> None:
        save_model(self, folder, self.trees_.arrays() | {"start_dollars": self.start_dollars_}, self.words_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        model.words_ = read_words(folder)
        model.trees_ = trees.Trees.load(arrays, len(model.words_))
        model.start_dollars_ = arrays.number("start_dollars")
        return model
