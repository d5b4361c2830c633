"""word2vec as the first notebook used it: an item is the mean of its words' vectors, and three ways to read them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from pricer import settings
from pricer.models import trees
from pricer.models.saving import SavedArrays, make_saved, read_words, save_model
from pricer.models.tables import texts_of, train_prices
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    from gensim.models import Word2Vec

TREES_AT_ONCE = 10
WINDOW = 5
PASSES = 5  # over the texts, gensim's default
TEXTS_AT_ONCE = 4096


class _WordVectors:
    """What the three models share: words and their vectors, learned from train alone (Mikolov et al., 2013).

    gensim's continuous bag of words, window 5, every word however rare, on one thread and from the seed, so that the
    same train gives the same vectors. The notebook ran it unseeded on eight threads, and its figures moved by a dollar.
    """

    name: str

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame | None = None, report: Report = silent) -> Self:
        prices, texts = train_prices(train), texts_of(train, "text")
        self.words_, self.vectors_ = self._learn_words([_words(text) for text in texts], report)
        means = self._means(texts, report)
        report(Step("Fitting", len(train), "items"))
        self._fit_prices(means, prices, report)
        return self

    def predict(self, items: pl.DataFrame) -> np.ndarray:
        return np.maximum(self._read_prices(self._means(texts_of(items, "text"))), 0.0)

    def save(self, folder: Path) -> None:
        save_model(self, folder, {"vectors": self.vectors_} | self._arrays(), self.words_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        model, arrays = make_saved(folder, cls.name), SavedArrays(folder)
        model.words_ = read_words(folder)
        model.vectors_ = arrays.take("vectors", np.float32, (len(model.words_), model.dimensions))
        model._take(arrays)
        return model

    def _learn_words(self, texts: Sequence[list[str]], report: Report) -> tuple[list[str], np.ndarray]:
        """Every word of the texts, most frequent first, and their vectors: float32 (words, dimensions)."""
        from gensim.models import Word2Vec

        if not any(texts):
            return [], np.zeros((0, self.dimensions), dtype=np.float32)
        report(Step("Learning word vectors", 0, "passes", 0.0))
        learned = Word2Vec(
            texts,
            vector_size=self.dimensions,
            window=WINDOW,
            min_count=1,
            workers=1,
            epochs=PASSES,
            seed=self.seed % 2**32,
            callbacks=[_PassesTold(report)],
        )
        return list(learned.wv.index_to_key), learned.wv.vectors

    def _means(self, texts: Sequence[str], report: Report = silent) -> np.ndarray:
        """The mean vector of each text's known words, zeros where it has none: float32 (texts, dimensions)."""
        place = {word: place for place, word in enumerate(self.words_)}
        means = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for number, text in enumerate(texts):
            places = [place[word] for word in _words(text) if word in place]
            if places:
                means[number] = self.vectors_[places].mean(axis=0)
            if number % TEXTS_AT_ONCE == 0:
                report(Step("Averaging word vectors", number, "items", number / len(texts)))
        return means


class Word2VecLinear(_WordVectors):
    """Ordinary least squares on the mean word vector."""

    name = "word2vec-linear"

    def __init__(self, dimensions: int = 400, seed: int = 42):
        self.dimensions = dimensions
        self.seed = seed

    def _fit_prices(self, means: np.ndarray, prices: np.ndarray, report: Report) -> None:
        from sklearn.linear_model import LinearRegression

        line = LinearRegression().fit(means, prices)
        self.coefficients_, self.intercept_ = line.coef_.astype(np.float64), float(line.intercept_)

    def _read_prices(self, means: np.ndarray) -> np.ndarray:
        return _on_line(means, self.coefficients_, self.intercept_)

    def _arrays(self) -> dict[str, np.ndarray | float]:
        return {"coefficients": self.coefficients_, "intercept": self.intercept_}

    def _take(self, arrays: SavedArrays) -> None:
        self.coefficients_ = arrays.take("coefficients", np.float64, (self.dimensions,))
        self.intercept_ = arrays.number("intercept")


class Word2VecSvr(Word2VecLinear):
    """Linear support vector regression on the mean word vector: scikit-learn's LinearSVR with its defaults.

    Its loss is the absolute error, beside a weight decay (C = 1) that the notebook's 400,000 items outweigh and a few
    items do not: on little data its guesses stay near $0.
    """

    name = "word2vec-svr"

    def _fit_prices(self, means: np.ndarray, prices: np.ndarray, report: Report) -> None:
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.svm import LinearSVR

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the notebook's 1,000 rounds seldom suffice
            line = LinearSVR(random_state=self.seed % 2**32).fit(means, prices)
        self.coefficients_, self.intercept_ = line.coef_.astype(np.float64), float(line.intercept_[0])


class Word2VecForest(_WordVectors):
    """A random forest (Breiman, 2001) on the mean word vector: scikit-learn's, grown until every leaf is one price."""

    name = "word2vec-forest"

    def __init__(self, dimensions: int = 400, trees: int = 100, seed: int = 42):
        self.dimensions = dimensions
        self.trees = trees
        self.seed = seed

    def _fit_prices(self, means: np.ndarray, prices: np.ndarray, report: Report) -> None:
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(
            warm_start=True, random_state=self.seed % 2**32, n_jobs=settings.worker_count()
        )  # grown a few trees at a time, which gives the same forest as at once
        for count in _up_to(self.trees, TREES_AT_ONCE):
            forest.set_params(n_estimators=count).fit(means, prices)
            report(Step("Growing trees", count, "trees", count / self.trees))
        self.trees_ = trees.from_sklearn(forest.estimators_)

    def _read_prices(self, means: np.ndarray) -> np.ndarray:
        return self.trees_.leaf_values(means).mean(axis=1)

    def _arrays(self) -> dict[str, np.ndarray]:
        return self.trees_.arrays()

    def _take(self, arrays: SavedArrays) -> None:
        self.trees_ = trees.Trees.load(arrays, self.dimensions)


def _words(text: str) -> list[str]:
    """The words of a text as gensim's simple_preprocess gives them; equal words are one string in memory."""
    from gensim.utils import simple_preprocess

    return [intern(word) for word in simple_preprocess(text)]


def _on_line(table: np.ndarray, coefficients: np.ndarray, intercept: float) -> np.ndarray:
    """Where rows lie on a line; summed row by row, as a matrix product may depend on how many rows there are."""
    return np.array([(row * coefficients).sum() for row in table], dtype=np.float64) + intercept


def _up_to(count: int, step: int) -> Iterator[int]:
    """step, 2 step, … and the count itself at last."""
    yield from range(step, count, step)
    yield count


class _PassesTold:
    """A gensim callback that reports each pass over the texts."""

    def __init__(self, report: Report):
        self._report = report
        self._done = 0

    def on_epoch_end(self, model: "Word2Vec") -> None:
        self._done += 1
        self._report(Step("Learning word vectors", self._done, "passes", self._done / PASSES))

    def on_epoch_begin(self, model: "Word2Vec") -> None: ...

    def on_train_begin(self, model: "Word2Vec") -> None: ...

    def on_train_end(self, model: "Word2Vec") -> None: ...
