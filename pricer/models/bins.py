"""A network that reads words and answers with a distribution: how likely each whole dollar is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from pricer.items import HIGHEST_SLOT
from pricer.models.hashed import Rarity, View
from pricer.models.networks import repeatable
from pricer.models.saving import SavedArrays, make_saved, save_model
from pricer.models.tables import mean_error, train_prices
from pricer.progress import TRAINING_LOSS, VALIDATION_ERROR, VALIDATION_LOSS, Point, Report, Step, silent

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix

VIEWS = {"words": View("full_text", "words", 1, 2), "title": View("title", "words", 1, 2)}
SLOTS = HIGHEST_SLOT + 1  # with slot 0
BATCH = 64
WORD_RATE, LAYER_RATE = 0.02, 0.002  # of Adam (Kingma and Ba, 2015); what moves seldom moves further
DROPOUT = 0.4
NEARBY = 1.0  # bins: the standard deviation of what a price says of the bins around its own
ASKED_AT_ONCE = 256
POINTS = 100  # of the training loss, in a fit
VALIDATED = 1000  # items of validation that are guessed after each epoch


class Bins:
    """A layer that sums up the vectors of an item's words, and a softmax over bins of the log price.

    The bins hold equal shares of train. A train price counts for its bin and, less, for those near it, so that bins
    know their order (as in label distribution learning; Geng, 2016). Within a bin, whole dollars are as likely as they
    are among its train prices, which keeps $19 likelier than $18. The guess is the median of the distribution.
    """

    name = "bins"

    def __init__(self, bins: int = 64, width: int = 128, epochs: int = 6, seed: int = 42):
        self.bins = bins
        self.width = width
        self.epochs = epochs
        self.seed = seed

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        prices = train_prices(train)
        self.rarities_, tables = {}, []
        for name, view in VIEWS.items():
            self.rarities_[name], weights = Rarity.learn(view, train, report)
            tables.append(weights)
        bin_of_item, self.shares_ = _spread(prices, self.bins)
        with repeatable(self.seed, threads=1):
            self.layers_ = self._train(_side_by_side(tables), bin_of_item, self._judge(validation), report)
        return self

    def _judge(self, validation: pl.DataFrame | None) -> Callable[["Layers"], dict[str, float]]:
        """What measures layers on the first items of validation: their loss, and their error in dollars."""
        if validation is None or validation.is_empty():
            return lambda layers: {}
        some = validation[:VALIDATED]
        words, prices = self._words(some), some["price"].to_numpy()
        lowest_slots = (self.shares_ > 0).argmax(axis=1)
        bins = np.searchsorted(lowest_slots, np.rint(prices), side="right") - 1
        targets = _nearby(len(self.shares_))[np.maximum(bins, 0)]

        def measure(layers: "Layers") -> dict[str, float]:
            chances = layers.chances(words)
            loss = -(targets * np.log(np.maximum(chances, 1e-12))).sum(axis=1).mean()
            guesses = distribution_median(chances @ self.shares_)
            return {VALIDATION_LOSS: float(loss), VALIDATION_ERROR: mean_error(guesses, prices)}

        return measure

    def _train(
        self,
        words: "csr_matrix",
        bin_of_item: np.ndarray,
        judge: Callable[["Layers"], dict[str, float]],
        report: Report,
    ) -> "Layers":
        import torch
        from torch.nn import functional

        count = len(self.shares_)
        vectors = torch.nn.EmbeddingBag(words.shape[1], self.width, mode="sum", sparse=True)
        torch.nn.init.normal_(vectors.weight, std=0.1)
        hidden_bias = torch.nn.Parameter(torch.zeros(self.width))
        last = torch.nn.Linear(self.width, count)
        targets = torch.from_numpy(_nearby(count)[bin_of_item])
        optimisers = (
            torch.optim.SparseAdam(vectors.parameters(), lr=WORD_RATE),
            torch.optim.AdamW([hidden_bias, *last.parameters()], lr=LAYER_RATE, weight_decay=0.01),
        )
        steps = self.epochs * -(-len(targets) // BATCH)
        schedules = [torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps) for optimiser in optimisers]
        between = max(1, steps // POINTS)
        total = told = 0.0  # the loss since the last point
        for epoch in range(self.epochs):
            order = torch.randperm(len(targets))
            for step, start in enumerate(range(0, len(order), BATCH), 1):
                rows = order[start : start + BATCH]
                hidden = torch.relu(_sum_up(vectors, words[rows.numpy()]) + hidden_bias)
                said = last(functional.dropout(hidden, DROPOUT))
                loss = functional.cross_entropy(said, targets[rows])
                for optimiser in optimisers:
                    optimiser.zero_grad()
                loss.backward()
                for optimiser, schedule in zip(optimisers, schedules, strict=True):
                    optimiser.step()
                    schedule.step()
                total, told = total + loss.detach(), told + 1
                point = None
                if told == between:
                    point = Point(epoch + step * self.epochs / steps, "epochs", {TRAINING_LOSS: float(total / told)})
                    total = told = 0.0
                seen = epoch * len(order) + min(start + BATCH, len(order))
                report(Step("Fitting", seen, "items", seen / (self.epochs * len(order)), point))
            parts = (vectors.weight, hidden_bias, last.weight.T, last.bias)
            layers = Layers(*(part.detach().numpy().copy() for part in parts))
            point = Point(epoch + 1, "epochs", judge(layers))
            report(Step("Fitting", (epoch + 1) * len(order), "items", (epoch + 1) / self.epochs, point))
        return layers

    def predict_distribution(self, items: pl.DataFrame) -> np.ndarray:
        """How likely each slot is, 0 to 999: float64 (n, 1000), rows add up to 1."""
        return self._bin_chances(items) @ self.shares_

    def _bin_chances(self, items: pl.DataFrame) -> np.ndarray:
        return self.layers_.chances(self._words(items))

    def _words(self, items: pl.DataFrame) -> "csr_matrix":
        return _side_by_side([rarity.weigh(items) for rarity in self.rarities_.values()])

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        guesses = np.zeros(len(items))
        for start in range(0, len(items), ASKED_AT_ONCE):
            some = slice(start, start + ASKED_AT_ONCE)
            guesses[some] = distribution_median(self.predict_distribution(items[some]))
        return guesses

    def save(self, folder: Path) -> None:
        arrays = {"shares": self.shares_} | self.layers_.arrays()
        for name, rarity in self.rarities_.items():
            arrays |= rarity.arrays(f"{name}_")
        save_model(self, folder, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        model.rarities_ = {name: Rarity.load(view, arrays, f"{name}_") for name, view in VIEWS.items()}
        words = sum(rarity.width for rarity in model.rarities_.values())
        biases = arrays.take("last_bias", np.float32)
        model.shares_ = arrays.take("shares", np.float64, (len(biases), SLOTS))
        arrays.require(len(biases) > 0 and np.allclose(model.shares_.sum(axis=1), 1) and (model.shares_ >= 0).all())
        model.layers_ = Layers(
            arrays.take("vectors", np.float32, (words, model.width)),
            arrays.take("hidden_bias", np.float32, (model.width,)),
            arrays.take("last", np.float32, (model.width, len(biases))),
            biases,
        )
        return model


@dataclass(frozen=True)
class Layers:
    """What the network learned, as arrays that NumPy and SciPy ask."""

    vectors: np.ndarray  # float32 (words, width)
    hidden_bias: np.ndarray  # float32 (width,)
    last: np.ndarray  # float32 (width, bins)
    last_bias: np.ndarray  # float32 (bins,)

    def chances(self, words: "csr_matrix") -> np.ndarray:
        """How likely each bin is: float64 (items, bins).

        Sparse products go row by row; what a filled one gives for a row may depend on how many rows there are, and an
        item must be guessed alone as among others.
        """
        from scipy.sparse import csr_matrix

        hidden = np.maximum(words @ self.vectors + self.hidden_bias, 0)
        said = (csr_matrix(hidden) @ self.last + self.last_bias).astype(np.float64)
        chances = np.exp(said - said.max(axis=1, keepdims=True, initial=-np.inf))
        return chances / chances.sum(axis=1, keepdims=True)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `Bins.load` reads."""
        return {
            "vectors": self.vectors,
            "hidden_bias": self.hidden_bias,
            "last": self.last,
            "last_bias": self.last_bias,
        }


def distribution_median(chances: np.ndarray) -> np.ndarray:
    """The dollars below which half of each row lies, a slot's share lying evenly half a dollar to either side.

    (n, 1000) over slots 0 to 999 in, (n,) out.
    """
    reached = np.cumsum(chances, axis=1)
    half = reached[:, -1:] / 2
    slot = (reached < half).sum(axis=1)
    rows = np.arange(len(chances))
    within = 1 - (reached[rows, slot] - half[:, 0]) / chances[rows, slot]
    return np.maximum(slot - 0.5 + within, 0.0)


def _spread(prices: np.ndarray, most_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """The bin of each price, and each bin's shares of the slots: int64 (n,), float64 (bins, 1000).

    Bins hold equal shares of the prices; fewer where many are the same.
    """
    edges = np.unique(np.quantile(prices, np.linspace(0, 1, most_bins + 1)[1:-1]))
    _, bin_of_item = np.unique(np.searchsorted(edges, prices), return_inverse=True)
    slots = np.clip(np.rint(prices), 0, HIGHEST_SLOT).astype(np.int64)
    counts = np.zeros((bin_of_item.max() + 1, SLOTS))
    np.add.at(counts, (bin_of_item, slots), 1)
    return bin_of_item, counts / counts.sum(axis=1, keepdims=True)


def _nearby(bins: int) -> np.ndarray:
    """What a price of each bin says of all bins: float32 (bins, bins), rows add up to 1."""
    distances = np.subtract.outer(np.arange(bins), np.arange(bins)) / NEARBY
    near = np.exp(-(distances**2) / 2)
    return (near / near.sum(axis=1, keepdims=True)).astype(np.float32)


def _side_by_side(tables: list["csr_matrix"]) -> "csr_matrix":
    from scipy.sparse import hstack

    return hstack(tables, format="csr")


def _sum_up(vectors: "torch.nn.EmbeddingBag", words: "csr_matrix") -> "torch.Tensor":
    """The weighted sum of the vectors of each item's words."""
    import torch

    parts = (words.indices.astype(np.int64), words.indptr[:-1].astype(np.int64), words.data)
    places, starts, weights = map(torch.from_numpy, parts)
    return vectors(places, starts, weights)
