"""Regression trees as plain arrays: made of what scikit-learn and XGBoost grew, asked with NumPy, saved as numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np
import orjson

from pricer.models.saving import SavedArrays

if TYPE_CHECKING:
    import xgboost
    from sklearn.tree import DecisionTreeRegressor

ROWS_AT_ONCE = 256
_TYPES = {
    "roots": np.int32, "features": np.int32, "thresholds": np.float32, "lefts": np.int32, "rights": np.int32,
    "missing_left": np.int8, "values": np.float64,
}  # fmt: skip


@dataclass(frozen=True)
class Trees:
    """All nodes of all trees, one after the other; a node's children stand after it, a leaf is its own child.

    An item goes left if its feature is less than the node's threshold; where the feature is missing (NaN), as the node
    says.
    """

    roots: np.ndarray  # int32, one a tree
    features: np.ndarray  # int32, one a node, as all that follow
    thresholds: np.ndarray  # float32
    lefts: np.ndarray  # int32
    rights: np.ndarray  # int32
    missing_left: np.ndarray  # int8, 0 or 1
    values: np.ndarray  # float64; at leaves the tree's value, elsewhere by how much the node's question bettered train

    def leaf_values(self, table: np.ndarray) -> np.ndarray:
        """Each tree's value for each row: float64 (rows, trees) of a float32 table (rows, features)."""
        values = np.empty((len(table), len(self.roots)))
        for start in range(0, len(table), ROWS_AT_ONCE):
            rows = table[start : start + ROWS_AT_ONCE]
            values[start : start + ROWS_AT_ONCE] = self.values[self._leaves(rows)]
        return values

    def _leaves(self, rows: np.ndarray) -> np.ndarray:
        """The leaf in which each row ends, by tree: all rows go down all trees together, a level at a time."""
        nodes = np.repeat(self.roots[None, :], len(rows), axis=0)
        while True:
            values = np.take_along_axis(rows, self.features[nodes], axis=1)
            left = (values < self.thresholds[nodes]) | (np.isnan(values) & (self.missing_left[nodes] == 1))
            below = np.where(left, self.lefts[nodes], self.rights[nodes])
            if np.array_equal(below, nodes):
                return nodes
            nodes = below

    def gains(self, feature_count: int) -> np.ndarray:
        """By how much questions on each feature bettered the fit of train: float64 (features,)."""
        asks = self.lefts != np.arange(len(self.lefts))
        return np.bincount(self.features[asks], self.values[asks], feature_count)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `load` reads."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def load(cls, arrays: SavedArrays, feature_count: int) -> Self:
        """Take saved trees; PricerError where an item could not find its way down, or would never arrive."""
        taken = {name: arrays.take(name, dtype) for name, dtype in _TYPES.items()}
        shape, places = taken["features"].shape, np.arange(len(taken["features"]))
        arrays.require(all(array.shape == shape for name, array in taken.items() if name != "roots"))
        arrays.require(len(taken["roots"]) > 0 and ((taken["roots"] >= 0) & (taken["roots"] < len(places))).all())
        arrays.require(((taken["features"] >= 0) & (taken["features"] < feature_count)).all())
        arrays.require(np.isin(taken["missing_left"], (0, 1)).all())
        is_leaf = taken["lefts"] == places
        arrays.require(np.array_equal(is_leaf, taken["rights"] == places))
        for children in (taken["lefts"], taken["rights"]):
            arrays.require((is_leaf | (children > places)).all() and (children < len(places)).all())
        return cls(**taken)


def from_sklearn(trees: Sequence["DecisionTreeRegressor"]) -> Trees:
    """The trees of a scikit-learn forest; it asks "at most a float64", here it is "less than the next float32"."""
    return _joined(
        (
            tree.children_left,
            tree.children_right,
            tree.feature,
            np.nextafter(_rounded_down(tree.threshold), np.float32(np.inf)),
            np.zeros(tree.node_count),
            np.where(tree.children_left < 0, tree.value[:, 0, 0], 0.0),
        )
        for tree in (estimator.tree_ for estimator in trees)
    )


def from_xgboost(booster: "xgboost.Booster") -> tuple[Trees, float]:
    """The trees of an XGBoost model, and the dollars to which their values are added."""
    learner = orjson.loads(bytes(booster.save_raw("json")))["learner"]
    trees = _joined(
        (
            np.array(tree["left_children"]),
            np.array(tree["right_children"]),
            np.array(tree["split_indices"]),
            np.array(tree["split_conditions"]),
            np.array(tree["default_left"]),
            np.where(np.array(tree["left_children"]) < 0, tree["split_conditions"], tree["loss_changes"]),
        )
        for tree in learner["gradient_booster"]["model"]["trees"]
    )
    return trees, float(learner["learner_model_param"]["base_score"].strip("[]"))


def _joined(trees: Iterable[tuple[np.ndarray, ...]]) -> Trees:
    """Trees one after the other, each given as its nodes' left and right children (-1 at leaves), counted from 0 in
    each tree, their features, thresholds, whether what misses the feature goes left, and values or gains."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in _TYPES}
    root = 0
    for left, right, *asked, values in trees:
        places, is_leaf = root + np.arange(len(left)), left < 0
        features, thresholds, missing_left = (np.where(is_leaf, 0, array) for array in asked)
        lefts, rights = (np.where(is_leaf, places, children + root) for children in (left, right))
        tree = ([root], features, thresholds, lefts, rights, missing_left, values)
        for (name, dtype), array in zip(_TYPES.items(), tree, strict=True):
            parts[name].append(np.asarray(array).astype(dtype))
        root += len(left)
    return Trees(**{name: np.concatenate(arrays) for name, arrays in parts.items()})


def _rounded_down(numbers: np.ndarray) -> np.ndarray:
    """The greatest float32 that is not above each number."""
    nearest = numbers.astype(np.float32)
    return np.where(nearest > numbers, np.nextafter(nearest, np.float32(-np.inf)), nearest)
