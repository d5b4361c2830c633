"""Texts as TF-IDF weights in hashed buckets: sparse throughout, no table of items times words is ever filled."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import polars as pl

from pricer.models.saving import SavedArrays
from pricer.models.tables import texts_of
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import HashingVectorizer

BUCKETS = 1 << 22  # word pairs of 400,000 items still share few
TEXTS_AT_ONCE = 4096
COUNTS_AT_ONCE = 1 << 24


@dataclass(frozen=True)
class View:
    """What is counted in an item: runs of neighbouring words, or of characters within words, of one column's start."""

    column: Literal["title", "text", "full_text"]
    of: Literal["words", "characters"]
    shortest: int
    longest: int
    least_items: int = 2  # what one item alone has tells nothing of another
    most_characters: int | None = None

    def count(self, items: pl.DataFrame, report: Report = silent) -> "csr_matrix":
        """How often what each bucket stands for is in each item: float32, one row an item, `BUCKETS` columns."""
        from scipy.sparse import csr_matrix, vstack

        hasher, texts = self._hasher(), self._texts(items)
        parts = [csr_matrix((0, BUCKETS), dtype=np.float32)]
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            parts.append(hasher.transform(texts[start : start + TEXTS_AT_ONCE]))
            done = min(start + TEXTS_AT_ONCE, len(texts))
            report(Step(f"Counting {self.of}", done, "items", done / len(texts)))
        return vstack(parts, format="csr")

    def names(self, items: pl.DataFrame, least_items: int) -> list[tuple[int, str]]:
        """Bucket and name of everything that at least so many of these items have; of two in one bucket, the first."""
        split, had_by = self._hasher().build_analyzer(), Counter()
        for text in self._texts(items):
            had_by.update(set(split(text)))
        names = sorted(name for name, count in had_by.items() if count >= least_items)
        hasher = self._hasher().set_params(analyzer=lambda name: [name])
        named: dict[int, str] = {}
        for bucket, name in zip(hasher.transform(names).indices.tolist() if names else [], names, strict=True):
            named.setdefault(bucket, name)
        return sorted(named.items())

    def _texts(self, items: pl.DataFrame) -> list[str]:
        return [text[: self.most_characters] for text in texts_of(items, self.column)]

    def _hasher(self) -> "HashingVectorizer":
        from sklearn.feature_extraction.text import HashingVectorizer

        return HashingVectorizer(
            n_features=BUCKETS,
            analyzer="word" if self.of == "words" else "char_wb",
            ngram_range=(self.shortest, self.longest),
            token_pattern=r"(?u)\b\w+\b" if self.of == "words" else None,  # one character too: sizes, pack counts
            alternate_sign=False,
            norm=None,
            dtype=np.float32,
        )


@dataclass(frozen=True)
class Rarity:
    """How much each bucket weighs that enough items of train have.

    What stands f times in a text weighs 1 + ln f, times ln((1 + n) / (1 + d)) + 1 if d of the n items of train have it;
    a text's weights then get length 1. Words are hashed (Weinberger et al., 2009), so that memory does not grow with
    the vocabulary.
    """

    view: View
    buckets: np.ndarray  # int32, ascending; the columns of the tables of weights
    factors: np.ndarray  # float32, one a bucket

    @classmethod
    def learn(cls, view: View, train: pl.DataFrame, report: Report = silent) -> "tuple[Self, csr_matrix]":
        """How rare everything is in train, and the weights of train's own items."""
        counts = view.count(train, report)
        having = np.zeros(BUCKETS, dtype=np.int64)
        for start in range(0, counts.nnz, COUNTS_AT_ONCE):
            having += np.bincount(counts.indices[start : start + COUNTS_AT_ONCE], minlength=BUCKETS)
        buckets = np.flatnonzero(having >= view.least_items).astype(np.int32)
        factors = (np.log((1 + len(train)) / (1 + having[buckets])) + 1).astype(np.float32)
        rarity = cls(view, buckets, factors)
        return rarity, rarity._weigh_counts(counts)

    def weigh(self, items: pl.DataFrame) -> "csr_matrix":
        """The weights of items: float32, one row an item, one column a bucket; at least one, which may be empty."""
        return self._weigh_counts(self.view.count(items))

    @property
    def width(self) -> int:
        """How many columns a table of weights has."""
        return max(1, len(self.buckets))

    def _weigh_counts(self, counts: "csr_matrix") -> "csr_matrix":
        """Turn counts into weights, in place: at 400,000 items they are gigabytes."""
        from scipy.sparse import csr_matrix
        from sklearn.preprocessing import normalize

        place = np.searchsorted(self.buckets, counts.indices).astype(np.int32)
        place[place == len(self.buckets)] = 0
        known = self.buckets[place] == counts.indices if len(self.buckets) else np.zeros(len(place), dtype=bool)
        np.log(counts.data, out=counts.data)
        counts.data += 1
        counts.data *= np.where(known, self.factors[place] if len(self.buckets) else 0, 0)
        weights = csr_matrix((counts.data, np.where(known, place, 0), counts.indptr), (counts.shape[0], self.width))
        weights.eliminate_zeros()
        return normalize(weights, copy=False)

    def arrays(self, prefix: str = "") -> dict[str, np.ndarray]:
        """What `load` reads."""
        return {f"{prefix}buckets": self.buckets, f"{prefix}rarity": self.factors}

    @classmethod
    def load(cls, view: View, arrays: SavedArrays, prefix: str = "") -> Self:
        """Take what was saved; PricerError where it is damaged."""
        buckets = arrays.take_places(f"{prefix}buckets", BUCKETS)
        return cls(view, buckets, arrays.take(f"{prefix}rarity", np.float32, buckets.shape))
