"""The strongest single model: boosted trees over what words, neighbours, details and shops say of the price."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from pricer import settings
from pricer.models import trees
from pricer.models.folding import (
    LabelMeans,
    Line,
    deal_folds,
    groups_of,
    means_out_of_fold,
    ridge_out_of_fold,
)
from pricer.models.hashed import Rarity, View
from pricer.models.learned import Learned, shares
from pricer.models.measures import MEASURES, details_of, frequent_details, measure_count, measures
from pricer.models.neighbours import Nearest, Pool, weighted_median
from pricer.models.rounds import VALIDATED, rounds_told
from pricer.models.saving import SavedArrays, make_saved, read_words, save_model
from pricer.models.tables import mean_error, texts_of, train_prices
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from xgboost import Booster

VIEWS = {
    "words": View("full_text", "words", 1, 2),
    "characters": View("full_text", "characters", 3, 5, least_items=3, most_characters=2000),
    "title": View("title", "characters", 2, 5),
}
ALPHAS = {"words": 0.3, "characters": 0.3, "title": 1.0}
FOLDS = 5
NEIGHBOURS = 15
COMPONENTS = 32  # of the words' weights
AMONG = 50_000  # items of train in which neighbours are looked for
LABELS = ("store", "category", "first word")
ITEMS_A_THREAD = 20_000  # with fewer, threads wait for each other longer than they help


class Boosting:
    """Gradient boosting (Friedman, 2001; XGBoost) of the absolute error of the log price.

    Its trees read, of each item: what ridge regressions on words, on characters and on the title's characters guess;
    what its nearest neighbours cost and how near they are; the mean price of its store, category and first word; the
    numbers that its details and text state (`measures`); and components of its words. Whatever holds prices is learned
    without the item's own group: by folds, and neighbours are strangers. The median of the log price is the log of the
    median, which the mean absolute error asks for.
    """

    name = "boosting"

    def __init__(self, trees: int = 600, depth: int = 6, learning_rate: float = 0.05, seed: int = 42):
        self.trees = trees
        self.depth = depth
        self.learning_rate = learning_rate
        self.seed = seed

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        log_prices = np.log(train_prices(train))
        self.reader_, table = Reader.learn(train, log_prices, self.seed, report)
        held_out = None
        if validation is not None and len(validation):
            some = validation[:VALIDATED]
            held_out = self.reader_.read(some), some["price"].to_numpy()
        booster = self._boost(table, log_prices, held_out, report)
        self.trees_, self.start_ = trees.from_xgboost(booster)
        return self

    def _boost(
        self,
        table: np.ndarray,
        log_prices: np.ndarray,
        held_out: tuple[np.ndarray, np.ndarray] | None,
        report: Report,
    ) -> "Booster":
        from xgboost import XGBRegressor

        def error(booster: "Booster") -> float:
            return mean_error(np.exp(booster.inplace_predict(held_out[0])), held_out[1])

        judged = [(table, log_prices), *([(held_out[0], np.log(held_out[1]))] if held_out else [])]
        regressor = XGBRegressor(
            objective="reg:absoluteerror",
            n_estimators=self.trees,
            max_depth=self.depth,
            learning_rate=self.learning_rate,
            subsample=0.7,
            colsample_bytree=0.3,
            min_child_weight=5,
            random_state=self.seed % 2**31,
            n_jobs=min(settings.worker_count(), 1 + len(table) // ITEMS_A_THREAD),
            callbacks=[rounds_told(self.trees, report, error if held_out else None)],
        )
        return regressor.fit(table, log_prices, eval_set=judged, verbose=False).get_booster()

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        if items.is_empty():
            return np.zeros(0)
        return np.exp(self.trees_.leaf_values(self.reader_.read(items)).sum(axis=1) + self.start_)

    def learned(self, train: pl.DataFrame) -> list[Learned]:
        gains, columns = self.trees_.gains(self.reader_.width), self.reader_.columns()
        note = "share of what all questions bettered the fit of train"
        return [
            Learned("What the trees go by", note, shares([kind for kind, _ in columns], gains, "kind")),
            Learned("Asked for most", note, shares([": ".join(column) for column in columns], gains, "of an item")),
        ]

    def save(self, folder: Path) -> None:
        arrays = self.trees_.arrays() | self.reader_.arrays() | {"start": self.start_}
        save_model(self, folder, arrays, self.reader_.words())

    @classmethod
    def load(cls, folder: Path) -> Self:
        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        model.reader_ = Reader.load(arrays, read_words(folder))
        model.trees_ = trees.Trees.load(arrays, model.reader_.width)
        model.start_ = arrays.number("start")
        return model


@dataclass(frozen=True)
class Reader:
    """Turns items into the table that the trees read: float32 (items, width), NaN where nothing is known."""

    rarities: dict[str, Rarity]
    lines: dict[str, Line]
    pool: Pool
    components: np.ndarray  # float32 (buckets of words, COMPONENTS)
    labels: dict[str, LabelMeans]
    details: list[str]  # names of those whose numbers are read

    @classmethod
    def learn(cls, train: pl.DataFrame, log_prices: np.ndarray, seed: int, report: Report) -> tuple[Self, np.ndarray]:
        """A reader for items that are not of train, and the table of train's own, which knows no own price."""
        groups = groups_of(train)
        folds = deal_folds(groups, FOLDS, seed)
        rarities, lines, guesses = {}, {}, []
        for name, view in VIEWS.items():
            rarities[name], weights = Rarity.learn(view, train, report)
            report(Step(f"Weighing {name}", len(train), "items"))
            guessed, lines[name] = ridge_out_of_fold(weights, log_prices, folds, ALPHAS[name])
            guesses.append(guessed)
            if name == "words":
                word_weights = weights
        pool, places = Pool.draw(word_weights, log_prices, AMONG, seed)
        nearest = pool.nearest(word_weights, NEIGHBOURS, (groups, groups[places]), report)
        components = _components(word_weights, seed)
        report(Step("Reading details", len(train), "items"))
        named = _labels(train)
        encoded = [means_out_of_fold(named[label], log_prices, folds) for label in LABELS]
        labels = {label: LabelMeans.learn(named[label], log_prices) for label in LABELS}
        reader = cls(rarities, lines, pool, components, labels, frequent_details(train))
        return reader, reader._table(train, guesses, nearest, word_weights, encoded)

    def read(self, items: pl.DataFrame) -> np.ndarray:
        """The table of items that are not of train."""
        weights = {name: rarity.weigh(items) for name, rarity in self.rarities.items()}
        guesses = [line.guess(weights[name]) for name, line in self.lines.items()]
        nearest = self.pool.nearest(weights["words"], NEIGHBOURS)
        named = _labels(items)
        encoded = [means.encode(named[label]) for label, means in self.labels.items()]
        return self._table(items, guesses, nearest, weights["words"], encoded)

    def _table(
        self, items: pl.DataFrame, guesses: list[np.ndarray], nearest: Nearest, words: "csr_matrix",
        encoded: list[np.ndarray],
    ) -> np.ndarray:  # fmt: skip
        parts = [
            np.column_stack(guesses),
            _neighbour_columns(nearest),
            *encoded,
            words @ self.components,
            measures(items, self.details),
        ]
        return np.hstack([part.astype(np.float32) for part in parts])

    @property
    def width(self) -> int:
        return len(VIEWS) + len(NEIGHBOUR_COLUMNS) + 2 * len(LABELS) + COMPONENTS + measure_count(self.details)

    def columns(self) -> list[tuple[str, str]]:
        """Of each column, which kind of knowledge it is and what it says."""
        return [
            *((f"guess by {name}", "ridge regression") for name in VIEWS),
            *(("neighbours", name) for name in NEIGHBOUR_COLUMNS),
            *((label, what) for label in LABELS for what in ("mean price", "items")),
            *(("components of words", str(number)) for number in range(1, COMPONENTS + 1)),
            *(("stated numbers", name) for name in MEASURES),
            *(("details", name) for name in self.details),
        ]

    def words(self) -> list[str]:
        """The names that were learned: details, then each kind of label, each name led by its kind."""
        labels = (f"{kind}: {name}" for kind, means in self.labels.items() for name in means.means)
        return [*(f"detail: {name}" for name in self.details), *labels]

    def arrays(self) -> dict[str, np.ndarray | float]:
        """What `load` reads, beside the words."""
        arrays: dict[str, np.ndarray | float] = self.pool.arrays() | {"components": self.components}
        for name, rarity in self.rarities.items():
            arrays |= rarity.arrays(f"{name}_") | {
                f"{name}_coefficients": self.lines[name].coefficients,
                f"{name}_intercept": self.lines[name].intercept,
            }
        kinds = self.labels.values()
        arrays["label_means"] = np.array([mean for means in kinds for mean in means.means.values()])
        arrays["label_counts"] = np.array([count for means in kinds for count in means.counts.values()])
        return arrays | {"label_mean": next(iter(kinds)).mean}

    @classmethod
    def load(cls, arrays: SavedArrays, words: list[str]) -> Self:
        rarities = {name: Rarity.load(view, arrays, f"{name}_") for name, view in VIEWS.items()}
        lines = {
            name: Line(
                arrays.take(f"{name}_coefficients", np.float64, (rarity.width,)), arrays.number(f"{name}_intercept")
            )
            for name, rarity in rarities.items()
        }
        pool = Pool.load(arrays, rarities["words"].width)
        components = arrays.take("components", np.float32, (rarities["words"].width, COMPONENTS))
        details = _after("detail", words)
        names = [word for word in words if not word.startswith("detail: ")]
        means, counts = (arrays.take(f"label_{kind}", np.float64, (len(names),)) for kind in ("means", "counts"))
        mean_of, count_of = (
            dict(zip(names, means.tolist(), strict=True)),
            dict(zip(names, counts.tolist(), strict=True)),
        )
        labels = {}
        for kind in LABELS:
            known = _after(kind, names)
            labels[kind] = LabelMeans(
                {name: mean_of[f"{kind}: {name}"] for name in known},
                {name: count_of[f"{kind}: {name}"] for name in known},
                arrays.number("label_mean"),
            )
        return cls(rarities, lines, pool, components, labels, details)


def _after(kind: str, words: list[str]) -> list[str]:
    return [word.removeprefix(f"{kind}: ") for word in words if word.startswith(f"{kind}: ")]


def _labels(items: pl.DataFrame) -> dict[str, list[str]]:
    """What each item is labelled with, by kind; a store that is not named is the brand of the details."""
    brands = [details.get("Brand") or details.get("Manufacturer") or "" for details in details_of(items)]
    stores = [
        (store or brand).strip().lower() if isinstance(brand, str) else store
        for store, brand in zip(texts_of(items, "store"), brands, strict=True)
    ]
    first = [(title.lower().split() or [""])[0] for title in texts_of(items, "title")]
    return {"store": stores, "category": texts_of(items, "category"), "first word": first}


NEIGHBOUR_COLUMNS = (
    "nearest price", "second price", "third price",
    "first similarity", "second similarity", "fifth similarity", "last similarity",
    "median of 5 prices", "weighted median price", "weighted mean price", "spread of 8 prices",
    "least of 8 prices", "greatest of 8 prices",
)  # fmt: skip


def _neighbour_columns(nearest: Nearest) -> np.ndarray:
    """What neighbours say: the first three prices, five similarities, medians, spread, least and greatest."""
    prices, similarities = nearest
    squares = np.nan_to_num(similarities) ** 2
    few = prices[:, :8]
    known = np.isfinite(few)
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, few, 0).sum(axis=1) / count
    spread = np.sqrt(np.where(known, (few - mean[:, None]) ** 2, 0).sum(axis=1) / count)
    weighted = (np.nan_to_num(prices) * squares).sum(axis=1) / np.maximum(squares.sum(axis=1), 1e-9)
    nothing = ~known.any(axis=1)
    summary = np.column_stack([
        weighted_median(prices[:, :5], np.ones_like(prices[:, :5])),
        weighted_median(prices, squares),
        np.where(nothing, np.nan, weighted),
        np.where(nothing, np.nan, spread),
        np.where(nothing, np.nan, np.where(known, few, np.inf).min(axis=1)),
        np.where(nothing, np.nan, np.where(known, few, -np.inf).max(axis=1)),
    ])  # fmt: skip
    return np.hstack([prices[:, :3], similarities[:, [0, 1, 4, NEIGHBOURS - 1]], summary])


def _components(weights: "csr_matrix", seed: int) -> np.ndarray:
    """The directions in which texts differ most (Halko et al., 2011): float32 (buckets, COMPONENTS), 0 where fewer."""
    from sklearn.decomposition import TruncatedSVD

    found = np.zeros((weights.shape[1], COMPONENTS), dtype=np.float32)
    count = min(COMPONENTS, *(size - 1 for size in weights.shape))
    if count >= 1 and weights.nnz:
        svd = TruncatedSVD(count, n_iter=3, random_state=seed % 2**32).fit(weights)
        found[:, :count] = np.nan_to_num(svd.components_.T)
    return found
