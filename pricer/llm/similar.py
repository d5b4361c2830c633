"""Products of train that are like one that is asked, to be shown with their prices.

    similar = SimilarProducts.of(train)
    similar.find(exam_items, 5)[0][0].price     # of the product most like the first

What is shown comes from train alone: tables with items of another role are refused, and what stands in the group of
the item that is asked, its near-duplicates, is never shown; so no answer can be read off.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import polars as pl

from pricer.errors import PricerError
from pricer.progress import Report, Step, silent

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST = 50_000  # items of train that are looked through
COLUMNS = ("item_id", "group", "title", "text", "price")
SHARED_ROLES = {"pool"}  # the role of what a recipe may choose from
_BUCKETS = 1 << 20
_ROWS_AT_ONCE = 256


class Similar(NamedTuple):
    """A product of train, and how like another one it is: the cosine of their words' weights, above 0 to 1."""

    item_id: str
    title: str
    text: str
    price: float
    similarity: float


@dataclass(frozen=True)
class SimilarProducts:
    """Items of train, by the words of their texts.

    Words are hashed and weigh as TF-IDF has it: (1 + ln f) · (ln((1 + n) / (1 + d)) + 1), of length 1 together.
    """

    table: pl.DataFrame  # `COLUMNS`

    @classmethod
    def of(cls, train: pl.DataFrame, seed: int = 42, most: int = MOST) -> Self:
        """A random `most` of train, or all; PricerError where an item is not from the pool."""
        others = set(train["role"]) - SHARED_ROLES if "role" in train.columns else set()
        if others:
            raise PricerError(f"similar products are shown from train only, and these are {', '.join(sorted(others))}")
        places = np.sort(np.random.default_rng(seed).permutation(len(train))[:most])
        return cls(_completed(train[places]).select(COLUMNS))

    def find(self, items: pl.DataFrame, k: int, report: Report = silent) -> list[list[Similar]]:
        """For each item (item_id, group, text) the k products most like it, the most similar first; fewer if need be.

        A product that has no word in common with an item is not like it.
        """
        if self.table.is_empty() or items.is_empty() or k < 1:
            return [[] for _ in range(len(items))]
        items = _completed(items)
        weights = self._weigh(items["text"].to_list())
        ids, groups = self.table["item_id"].to_numpy(), self.table["group"].to_numpy()
        found = []
        for start in range(0, len(items), _ROWS_AT_ONCE):
            some = items[start : start + _ROWS_AT_ONCE]
            cosines = (weights[start : start + _ROWS_AT_ONCE] @ self._columns).toarray()
            for row, (identifier, group) in zip(cosines, some.select("item_id", "group").iter_rows(), strict=True):
                row[(ids == identifier) | (groups == group)] = 0
            found += [self._best(row, k) for row in cosines]
            report(Step("Looking for similar products", len(found), "items", len(found) / len(items)))
        return found

    def save(self, file: Path) -> None:
        self.table.write_parquet(file)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what was saved; PricerError where it is damaged."""
        try:
            return cls(pl.read_parquet(file).select(COLUMNS))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise PricerError(f"{file.name} is damaged, or of another version of Pricer") from error

    def _best(self, cosines: np.ndarray, k: int) -> list[Similar]:
        order = np.argsort(-cosines, kind="stable")[:k]
        rows = self.table[order].select("item_id", "title", "text", "price").iter_rows()
        return [
            Similar(*row, float(cosines[place])) for row, place in zip(rows, order, strict=True) if cosines[place] > 0
        ]

    def _weigh(self, texts: list[str]) -> "csr_matrix":
        from sklearn.preprocessing import normalize

        counts = _count(texts)
        counts.data = (1 + np.log(counts.data)) * self._rarity[counts.indices]
        return normalize(counts, copy=False)

    @cached_property
    def _rarity(self) -> np.ndarray:
        having = np.bincount(_count(self.table["text"].to_list()).indices, minlength=_BUCKETS)
        return (np.log((1 + len(self.table)) / (1 + having)) + 1).astype(np.float32)

    @cached_property
    def _columns(self) -> "csr_matrix":
        """The weights of the table's items, turned, so that a product is row by row."""
        return self._weigh(self.table["text"].to_list()).T.tocsr()


def _completed(items: pl.DataFrame) -> pl.DataFrame:
    """Items with the columns that tell them apart; one that was just typed is in nobody's group."""
    none = {"item_id": pl.String, "group": pl.UInt64, "title": pl.String}
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in none.items() if name not in items.columns]
    return items.with_columns(*missing).with_columns(pl.col("text").fill_null(""), pl.col("title").fill_null(""))


def _count(texts: list[str]) -> "csr_matrix":
    """How often each bucket's words stand in each text: float32, one row a text."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hasher = HashingVectorizer(
        n_features=_BUCKETS, token_pattern=r"(?u)\b\w+\b", alternate_sign=False, norm=None, dtype=np.float32
    )
    return hasher.transform(texts)
