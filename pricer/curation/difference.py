"""What another recipe would add to a sample and remove from it, exactly."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pricer.catalogue.roles import BANDS
from pricer.curation.index import PoolIndex
from pricer.curation.sampler import Plan, in_sample
from pricer.items import SLOT_COUNT


@dataclass(frozen=True, eq=False)
class Difference:
    """Items in both of two samples and in one of them alone, int64 by slot (1000 rows) and category (columns)."""

    categories: tuple[str, ...]
    both: np.ndarray
    added: np.ndarray  # in the other sample alone
    removed: np.ndarray  # in the first sample alone

    @property
    def kept(self) -> int:
        """Items that both samples hold."""
        return int(self.both.sum())

    def by_slot(self) -> pl.DataFrame:
        """One row per slot 0 to 999: slot, both, added, removed."""
        return pl.DataFrame({"slot": np.arange(SLOT_COUNT)} | self._summed(axis=1))

    def by_band(self) -> pl.DataFrame:
        """One row per price band: lowest, highest (slots, both in it), both, added, removed."""
        summed = {name: np.add.reduceat(slots, BANDS[:-1]) for name, slots in self._summed(axis=1).items()}
        return pl.DataFrame({"lowest": BANDS[:-1], "highest": np.array(BANDS[1:]) - 1} | summed)

    def by_category(self) -> pl.DataFrame:
        """One row per category: category, both, added, removed."""
        columns = {"category": self.categories} | self._summed(axis=0)
        return pl.DataFrame(columns, schema_overrides={"category": pl.String})

    def _summed(self, axis: int) -> dict[str, np.ndarray]:
        return {name: getattr(self, name).sum(axis=axis) for name in ("both", "added", "removed")}


def difference(index: PoolIndex, plan: Plan, other: Plan) -> Difference:
    """Compare two plans of one pool, given the index of the first one's seed.

    Either keeps the beginning of every cell of slot and category, in the order of its seed. With the same seed, both
    keep the shorter of the two beginnings; with another, the items of the first are looked up in the other by key.
    """
    if index.seed != plan.recipe.seed:
        raise ValueError(f"the index must be of the first plan's seed {plan.recipe.seed}, got one of {index.seed}")
    if index.categories != other.categories or not np.array_equal(index.counts, other.before):
        raise ValueError("both plans must be of the index's pool")
    same_seed = plan.recipe.seed == other.recipe.seed
    both = np.minimum(plan.counts, other.counts) if same_seed else _in_both(index, plan.counts, other)
    return Difference(plan.categories, both, added=other.counts - both, removed=plan.counts - both)


def _in_both(index: PoolIndex, counts: np.ndarray, other: Plan) -> np.ndarray:
    """How many of the first items of each cell, int64 (1000, C), another plan keeps too."""
    sizes = counts.ravel()
    before = sizes.cumsum() - sizes
    places = np.arange(sizes.sum()) + np.repeat(index.starts[:-1] - before, sizes)
    cells = np.repeat(np.arange(len(sizes)), sizes)
    kept = in_sample(index.keys[places], *np.divmod(cells, len(index.categories)), other)
    return np.bincount(cells[kept], minlength=len(sizes)).reshape(counts.shape)
