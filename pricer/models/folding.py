"""What is learned of train without an item's own price: guesses and means from folds in which its group is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SMOOTHING = 5.0  # so many items of train's mean are added to each label's own


def groups_of(train: pl.DataFrame) -> np.ndarray:
    """The group of each item; where the table has none, each is one of its own."""
    return train["group"].to_numpy() if "group" in train.columns else np.arange(len(train))


def deal_folds(groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of each item, from 0: groups are shuffled and dealt one by one, so none stands in two folds."""
    named, place = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(named))
    return (order % folds)[place]


class Line(NamedTuple):
    """A straight line through weights of words."""

    coefficients: np.ndarray  # float64, one a column
    intercept: float

    def guess(self, weights: "csr_matrix") -> np.ndarray:
        return weights @ self.coefficients + self.intercept


def ridge_out_of_fold(
    weights: "csr_matrix", targets: np.ndarray, folds: np.ndarray, alpha: float
) -> tuple[np.ndarray, Line]:
    """Each item's guess by a ridge regression that was fitted without its fold, and the mean of those regressions."""
    from sklearn.linear_model import Ridge

    guesses, lines = np.full(len(targets), targets.mean()), []
    for fold in np.unique(folds):
        own = folds == fold
        if own.all():  # a single group
            return guesses, Line(np.zeros(weights.shape[1]), float(targets.mean()))
        ridge = Ridge(alpha=alpha, solver="sparse_cg", tol=1e-3).fit(weights[~own], targets[~own])
        lines.append(Line(ridge.coef_.astype(np.float64), float(ridge.intercept_)))
        guesses[own] = lines[-1].guess(weights[own])
    coefficients, intercepts = zip(*lines, strict=True)
    return guesses, Line(np.mean(coefficients, axis=0), float(np.mean(intercepts)))


@dataclass(frozen=True)
class LabelMeans:
    """The mean target of each label (a shop, a category), drawn towards the mean of all the fewer items have it."""

    means: dict[str, float]
    counts: dict[str, float]
    mean: float  # of an unknown label

    @classmethod
    def learn(cls, labels: Sequence[str], targets: np.ndarray) -> "LabelMeans":
        mean = float(targets.mean())
        known = pl.DataFrame({"label": labels, "target": targets}).group_by("label", maintain_order=True)
        table = known.agg(pl.col("target").sum(), pl.len().alias("count"))
        smooth = (table["target"] + SMOOTHING * mean) / (table["count"] + SMOOTHING)
        counts = table["count"].cast(pl.Float64)
        return cls(dict(zip(table["label"], smooth, strict=True)), dict(zip(table["label"], counts, strict=True)), mean)

    def encode(self, labels: Sequence[str]) -> np.ndarray:
        """float64 (labels, 2): the mean, and how many items it is of."""
        return np.array(
            [(self.means.get(label, self.mean), self.counts.get(label, 0.0)) for label in labels], dtype=np.float64
        ).reshape(len(labels), 2)


def means_out_of_fold(labels: Sequence[str], targets: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """What `LabelMeans.encode` says of each item where its own fold was not learned from: float64 (items, 2)."""
    encoded = np.column_stack([np.full(len(labels), targets.mean()), np.zeros(len(labels))])
    named = np.array(labels, dtype=object)
    for fold in np.unique(folds):
        own = folds == fold
        if not own.all():
            encoded[own] = LabelMeans.learn(named[~own].tolist(), targets[~own]).encode(named[own].tolist())
    return encoded
