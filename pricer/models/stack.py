"""A stack: several runs' guesses added up, each by its weight."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from pricer.errors import PricerError
from pricer.items import HIGHEST_SLOT, LOWEST_SLOT
from pricer.models.contract import Model
from pricer.models.learned import Learned
from pricer.models.saving import SavedArrays, load, make_saved, read_words, save_model, saved_name
from pricer.progress import Report, silent

RESAMPLES = 20
_RUN_ID = re.compile(r"[0-9a-f]{1,64}")


class Stack:
    """Weighs what other runs' models guess (stacked generalisation; Wolpert, 1992; Breiman, 1996).

    The weights are not negative and have the least mean absolute error on validation, which none of those models has
    learned from: the mean of those of 20 resamples of it (bagging; Breiman, 1996), as a single few hundred items would
    give all weight to one of two models that are alike. It keeps the runs' ids and weights; the models stay in their
    own runs' folders.
    """

    name = "stack"

    def __init__(self, seed: int = 42):
        self.seed = seed

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        raise PricerError("a stack is made of runs: train stack --of RUN --of RUN")

    def weigh(self, of: Sequence[str], models: Sequence[Model], guesses: np.ndarray, prices: np.ndarray) -> Self:
        """Learn how much each run counts: ids, models, (n, runs) dollars guessed and (n,) prices of validation."""
        self.of_, self.models_ = list(of), list(models)
        random, clipped = np.random.default_rng(self.seed), _clipped(guesses)
        draws = random.integers(len(prices), size=(RESAMPLES, len(prices)))
        self.weights_ = np.mean([least_absolute_weights(clipped[drawn], prices[drawn]) for drawn in draws], axis=0)
        return self

    def combine(self, guesses: np.ndarray) -> np.ndarray:
        """The stack's guesses in dollars: float64 (n,) of its runs' (n, runs)."""
        return (_clipped(guesses) * self.weights_).sum(axis=1)

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        return self.combine(np.column_stack([model.predict(items) for model in self.models_]))

    def learned(self, train: pl.DataFrame) -> list[Learned]:
        table = pl.DataFrame({"run": self.of_, "weight": self.weights_}).sort("weight", descending=True)
        return [Learned("Weights", "how much of each run's guess is added up", table)]

    def save(self, folder: Path) -> None:
        save_model(self, folder, {"weights": self.weights_}, self.of_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        model.of_ = read_words(folder)
        model.weights_ = arrays.take("weights", np.float64, (len(model.of_),))
        arrays.require(len(model.of_) > 0 and bool((model.weights_ >= 0).all()))
        arrays.require(all(_RUN_ID.fullmatch(run) for run in model.of_))
        model.models_ = [_load_part(run) for run in model.of_]
        return model


def _load_part(run: str) -> Model:
    try:
        if saved_name(run) == Stack.name:  # which might hold this one
            raise PricerError("it is a stack too")
        return load(run)
    except PricerError as error:
        raise PricerError(f"the stack's run {run} cannot be loaded: {error}") from error


def least_absolute_weights(guesses: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Weights of columns, none negative, with the least sum of |prices - guesses · weights|: float64 (columns,).

    A linear programme (Charnes, Cooper and Ferguson, 1955): what is above and what is below are variables of their own.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix, eye, hstack

    items, columns = guesses.shape
    costs = np.concatenate([np.zeros(columns), np.ones(2 * items)])
    table = hstack([csr_matrix(guesses), eye(items), -eye(items)], format="csr")
    found = linprog(costs, A_eq=table, b_eq=prices, method="highs")
    if not found.success:
        raise RuntimeError(f"no weights were found: {found.message}")
    return np.maximum(found.x[:columns], 0.0)


def _clipped(guesses: np.ndarray) -> np.ndarray:
    return guesses.clip(LOWEST_SLOT, HIGHEST_SLOT)
