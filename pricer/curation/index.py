"""The pool, sorted for planning: who asks for thousands of plans reads this index and no row.

Items stand in the order of slot, category, draw, key. So each category of each slot is one segment of ascending draws,
whatever a recipe keeps of it is the segment's beginning, and its price and tokens are differences of running sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from pricer.draws import SAMPLE_STREAM, draw
from pricer.files import publish, staged_folder
from pricer.items import SLOT_COUNT

if TYPE_CHECKING:
    from pricer.catalogue.store import Catalogue

ARRAYS = ("starts", "draws", "keys", "price_sums", "token_sums")


@dataclass(frozen=True, eq=False)
class PoolIndex:
    """The sorted pool of n items in C categories, for one seed; 32 bytes an item."""

    categories: tuple[str, ...]
    seed: int
    starts: np.ndarray  # int64 (1000·C + 1): where slot s's segment of category c begins, at s·C + c
    draws: np.ndarray  # float64 (n)
    keys: np.ndarray  # uint64 (n), read only where draws tie
    price_sums: np.ndarray  # float64 (n + 1): dollars of all items before this one
    token_sums: np.ndarray  # int64 (n + 1)

    def __len__(self) -> int:
        return len(self.draws)

    @cached_property
    def counts(self) -> np.ndarray:
        """Items by slot and category, int64 (1000, C)."""
        return np.diff(self.starts).reshape(SLOT_COUNT, -1)

    @cached_property
    def prices(self) -> np.ndarray:
        """Dollars by slot and category, float64 (1000, C)."""
        return np.diff(self.price_sums[self.starts]).reshape(SLOT_COUNT, -1)

    @cached_property
    def tokens(self) -> np.ndarray:
        """Tokens by slot and category, int64 (1000, C)."""
        return np.diff(self.token_sums[self.starts]).reshape(SLOT_COUNT, -1)

    @classmethod
    def load(cls, folder: Path, categories: tuple[str, ...], seed: int) -> Self:
        """Map the stored arrays into memory: opened at once, read where needed, shared by all processes."""
        arrays = {name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in ARRAYS}
        return cls(categories, seed, **arrays)

    def save(self, folder: Path) -> None:
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))


def build_index(
    keys: np.ndarray,
    slots: np.ndarray,
    category_codes: np.ndarray,
    prices: np.ndarray,
    tokens: np.ndarray,
    categories: Sequence[str],
    seed: int = 42,
) -> PoolIndex:
    """Sort a pool, given by one array per property, in any order; a category's code is its position in `categories`."""
    segments = slots.astype(np.int64) * len(categories) + category_codes
    draws = draw(keys, SAMPLE_STREAM, seed)
    order = np.lexsort((keys, draws, segments))
    sizes = np.bincount(segments, minlength=SLOT_COUNT * len(categories))
    return PoolIndex(
        categories=tuple(categories),
        seed=seed,
        starts=_running_sums(sizes, np.int64),
        draws=draws[order],
        keys=keys[order].astype(np.uint64),
        price_sums=_running_sums(prices[order], np.float64),
        token_sums=_running_sums(tokens[order], np.int64),
    )


def _running_sums(values: np.ndarray, dtype: type) -> np.ndarray:
    sums = np.zeros(len(values) + 1, dtype)
    np.cumsum(values, out=sums[1:])
    return sums


def open_index(catalogue: "Catalogue", seed: int = 42) -> PoolIndex:
    """The index of a catalogue's pool, from its folder; built and stored there at the first call for a seed.

    Two processes may build at once: the one that is ready first stores, and both read the same numbers.
    """
    categories = tuple(catalogue.manifest.categories)
    folder = catalogue.folder / "index" / str(seed)
    if not folder.is_dir():
        with staged_folder(folder.parent) as staging:
            _index_pool(catalogue.pool(), categories, seed).save(staging)
            publish(staging, folder)
    return PoolIndex.load(folder, categories, seed)


def _index_pool(pool: pl.LazyFrame, categories: tuple[str, ...], seed: int) -> PoolIndex:
    code = pl.col("category").cast(pl.Enum(categories)).to_physical()
    items = pool.select("key", "slot", code, "price", "tokens").collect()
    return build_index(*(column.to_numpy() for column in items), categories, seed)
