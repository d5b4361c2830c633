"""Nearest neighbours: what the items of train cost whose texts are most like the item's."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import polars as pl

from pricer.models.hashed import Rarity, View
from pricer.models.saving import SavedArrays, make_saved, save_model
from pricer.models.tables import train_prices
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

VIEW = View("full_text", "words", 1, 2)
ROWS_AT_ONCE = 256
LEAST_SIMILARITY = 1e-6


class Nearest(NamedTuple):
    """The nearest of a pool, the most similar first: float64 (items, k), NaN where the pool has no such item."""

    log_prices: np.ndarray
    similarities: np.ndarray  # cosines, above 0 to 1


@dataclass(frozen=True)
class Pool:
    """Items of train that others are compared with."""

    columns: "csr_matrix"  # float32 (buckets, items): their TF-IDF weights, turned, so that a product is row by row
    log_prices: np.ndarray  # float64 (items,)

    @classmethod
    def draw(cls, weights: "csr_matrix", log_prices: np.ndarray, most: int, seed: int) -> tuple[Self, np.ndarray]:
        """A random `most` of these items, and which they are; all where there are no more."""
        places = np.sort(np.random.default_rng(seed).permutation(len(log_prices))[:most])
        return cls(weights[places].T.tocsr(), log_prices[places]), places

    def nearest(
        self, weights: "csr_matrix", k: int, strangers: "tuple[np.ndarray, np.ndarray] | None" = None,
        report: Report = silent,
    ) -> Nearest:  # fmt: skip
        """The k items of the pool whose weights have the largest cosine with each of these (items, buckets) weights.

        `strangers` are the groups of the items and of the pool: what is in an item's own group is not looked at.
        """
        items, among = weights.shape[0], len(self.log_prices)
        found = Nearest(np.full((items, k), np.nan), np.full((items, k), np.nan))
        for start in range(0, items, ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            cosines = (weights[rows] @ self.columns).toarray()
            if strangers:
                cosines[strangers[0][rows, None] == strangers[1][None, :]] = 0
            places = np.argpartition(-cosines, min(k, among) - 1, axis=1)[:, : min(k, among)]
            chosen = np.take_along_axis(cosines, places, axis=1)
            order = np.argsort(-chosen, axis=1, kind="stable")
            places, chosen = (np.take_along_axis(table, order, axis=1) for table in (places, chosen))
            is_like = chosen > LEAST_SIMILARITY
            found.log_prices[rows, : min(k, among)] = np.where(is_like, self.log_prices[places], np.nan)
            found.similarities[rows, : min(k, among)] = np.where(is_like, chosen, np.nan)
            report(Step("Looking for neighbours", min(start + ROWS_AT_ONCE, items), "items", start / items))
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """What `load` reads."""
        return {
            "pool_weights": self.columns.data,
            "pool_items": self.columns.indices.astype(np.int32),
            "pool_starts": self.columns.indptr.astype(np.int64),
            "pool_log_prices": self.log_prices,
        }

    @classmethod
    def load(cls, arrays: SavedArrays, buckets: int) -> Self:
        """Take a saved pool; PricerError where an item could not be found in it."""
        from scipy.sparse import csr_matrix

        log_prices = arrays.take("pool_log_prices", np.float64)
        weights, starts = arrays.take("pool_weights", np.float32), arrays.take("pool_starts", np.int64, (buckets + 1,))
        items = arrays.take("pool_items", np.int32, weights.shape)
        arrays.require(bool(((items >= 0) & (items < len(log_prices))).all()) and len(log_prices) > 0)
        arrays.require(starts[0] == 0 and starts[-1] == len(items) and bool((np.diff(starts) >= 0).all()))
        return cls(csr_matrix((weights, items, starts), (buckets, len(log_prices))), log_prices)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """By row, the least of the values below or at which half of the weight lies; NaN values weigh nothing.

    A row without any value gives NaN. float64 (rows, columns) in, (rows,) out.
    """
    order = np.argsort(values, axis=1, kind="stable")  # NaN last
    values, weights = (np.take_along_axis(table, order, axis=1) for table in (values, weights))
    reached = np.cumsum(np.where(np.isnan(values), 0, weights), axis=1)
    place = (reached < reached[:, -1:] / 2).sum(axis=1)
    return values[np.arange(len(values)), place]


class Neighbours:
    """The weighted median of the log prices of the k nearest items of train.

    Nearness is the cosine of TF-IDF weights of words and word pairs, and each neighbour weighs the square of it. An
    item that has no word in common with train gets train's median price.
    """

    name = "neighbours"

    def __init__(self, neighbours: int = 10, among: int = 50_000, seed: int = 42):
        self.neighbours = neighbours
        self.among = among
        self.seed = seed

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        log_prices = np.log(train_prices(train))
        self.rarity_, weights = Rarity.learn(VIEW, train, report)
        self.pool_, _ = Pool.draw(weights, log_prices, self.among, self.seed)
        self.median_ = float(np.median(log_prices))
        return self

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        if items.is_empty():
            return np.zeros(0)
        nearest = self.pool_.nearest(self.rarity_.weigh(items), self.neighbours)
        guesses = weighted_median(nearest.log_prices, np.nan_to_num(nearest.similarities) ** 2)
        return np.exp(np.where(np.isnan(guesses), self.median_, guesses))

    def save(self, folder: Path) -> None:
        save_model(self, folder, self.rarity_.arrays() | self.pool_.arrays() | {"median": self.median_})

    @classmethod
    def load(cls, folder: Path) -> Self:
        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        model.rarity_ = Rarity.load(VIEW, arrays)
        model.pool_ = Pool.load(arrays, model.rarity_.width)
        model.median_ = arrays.number("median")
        return model
