"""Plan what a recipe gives, exactly and at once, and decide item by item who is in the sample.

One law: an item of the pool is in the sample if and only if `draw < threshold[slot] * weight[category]`. A threshold
lets the items with the smallest draw / weight pass, which is weighted sampling without replacement (Efraimidis and
Spirakis, 2006), the law of `numpy.random.choice(p=..., replace=False)`. As an item's draw belongs to the item, the
sample does not depend on order or parts, only grows with the cap, and changes little when a weight moves. A target
shape is a cap for each slot; by price, one threshold is for all slots, and an item's weight depends on its price too.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from pricer.curation.index import PoolIndex
from pricer.curation.measures import Spike, effective_size, evenness, median_slot, spikes, total_variation
from pricer.curation.recipe import Recipe
from pricer.curation.targets import shape, target_caps, wished_counts
from pricer.curation.thresholds import Segments, find_thresholds, settle
from pricer.draws import SAMPLE_STREAM, draw
from pricer.items import LOWEST_SLOT, SLOT_COUNT

Ties = dict[int, frozenset[int]]  # slot: keys of the items that it keeps by key, being level with the first left out


@dataclass(frozen=True, eq=False)
class Plan:
    """What a recipe gives: counts before (the pool, or market) and after, by slot (1000 rows) and category (columns).

    Slot 0 is never sampled, so sizes, means, medians, shares and distances are over slots 1 to 999. Means are nan where
    there is nothing, medians whole dollars (0 where there is nothing).
    """

    recipe: Recipe
    categories: tuple[str, ...]
    before: np.ndarray  # int64 (1000, C)
    counts: np.ndarray  # int64 (1000, C)
    limits: np.ndarray  # float64 (1000, C): what a draw must stay below; inf where all is kept, 0 where nothing
    thresholds: np.ndarray  # float64 (1000): the limits of weight 1
    ties: Ties
    price_mean: float
    tokens_mean: float
    market_price_mean: float
    market_tokens_mean: float

    @property
    def size(self) -> int:
        return int(self.counts.sum())

    @property
    def market_size(self) -> int:
        return int(self.before[LOWEST_SLOT:].sum())

    @property
    def price_median(self) -> int:
        return median_slot(self.counts)

    @property
    def market_price_median(self) -> int:
        return median_slot(self.before)

    @cached_property
    def capped_slots(self) -> int:
        """How many slots the cap or the target makes smaller."""
        return int((self.counts.sum(axis=1) < self._possible).sum())

    @cached_property
    def _possible(self) -> np.ndarray:
        """Items of positive weight in each slot (1000) that can be sampled."""
        possible = self.before @ (self.recipe.weight_array(self.categories) > 0)
        possible[:LOWEST_SLOT] = 0
        return possible

    @cached_property
    def wished(self) -> np.ndarray | None:
        """The target's shape at its size, float64 (1000), before any slot falls short; None for a recipe with a cap."""
        return wished_counts(self.before, self.recipe.weight_array(self.categories), self.recipe)

    @property
    def shortfall(self) -> int:
        """How many items the pool lacks, slot by slot, for the target's shape at its size; 0 for a cap."""
        return 0 if self.wished is None else round(float(np.maximum(0, self.wished - self._possible).sum()))

    @property
    def effective_size(self) -> float:
        """How many market draws the sample is worth once it is reweighted to the market (Kish, 1965).

        That is, to the part of the market that it covers: see `market_covered`.
        """
        return effective_size(self.before[LOWEST_SLOT:], self.counts[LOWEST_SLOT:])

    @property
    def market_covered(self) -> float:
        """The share (0 to 1) of the market in cells of slot and category of which the sample holds something."""
        return int(self.before[self.counts > 0].sum()) / max(1, self.market_size)

    @property
    def price_evenness(self) -> float:
        """The sample is spread over slots as evenly as over so many equal ones: the exponential of the entropy."""
        return evenness(self.counts[LOWEST_SLOT:].sum(axis=1))

    @property
    def market_price_evenness(self) -> float:
        return evenness(self.before[LOWEST_SLOT:].sum(axis=1))

    @property
    def category_evenness(self) -> float:
        """The sample is spread over categories as evenly as over so many equal ones."""
        return evenness(self.counts[LOWEST_SLOT:].sum(axis=0))

    @property
    def market_category_evenness(self) -> float:
        return evenness(self.before[LOWEST_SLOT:].sum(axis=0))

    @cached_property
    def spikes(self) -> tuple[Spike, ...]:
        """The first notebook's prices of shops, and others that stand out from the slots around them."""
        return spikes(self.before.sum(axis=1), self.counts.sum(axis=1))

    @property
    def price_distance(self) -> float:
        """Total variation (0 to 1) between the market's distribution over slots and the sample's."""
        return total_variation(self.before[LOWEST_SLOT:].sum(axis=1), self.counts[LOWEST_SLOT:].sum(axis=1))

    @property
    def category_distance(self) -> float:
        """Total variation (0 to 1) between the market's distribution over categories and the sample's."""
        return total_variation(self.before[LOWEST_SLOT:].sum(axis=0), self.counts[LOWEST_SLOT:].sum(axis=0))

    def shares(self) -> pl.DataFrame:
        """One row per category: category, before, after (items), share_before, share_after (0 to 1)."""
        before, after = self.before[LOWEST_SLOT:].sum(axis=0), self.counts[LOWEST_SLOT:].sum(axis=0)
        columns = {"category": self.categories, "before": before, "after": after}
        shares = {"share_before": before / max(1, before.sum()), "share_after": after / max(1, after.sum())}
        return pl.DataFrame(columns | shares, schema_overrides={"category": pl.String})

    def why_uncapped(self) -> str | None:
        """Why the cap or the target makes no slot smaller, in words for a person; None where it does."""
        if self.capped_slots:
            return None
        if self.recipe.cutoff == LOWEST_SLOT:
            return "every slot is kept whole"
        if self.recipe.target:
            if self.recipe.target.size < self._possible.sum():
                return f"no item lies below ${self.recipe.cutoff:,}, and from there every slot is kept whole"
            return f"every slot is kept whole: the pool has {self._possible.sum():,} items to give"
        largest = int(self.before[LOWEST_SLOT:].sum(axis=1).max(initial=0))
        where = "no slot" if largest <= self.recipe.cap else f"no slot below ${self.recipe.cutoff:,}"
        return f"{where} holds more than {self.recipe.cap:,} item{'s' if self.recipe.cap > 1 else ''}"

    def why_off_target(self) -> str | None:
        """What keeps the sample from the target's shape and size, in words for a person; None where nothing does."""
        if not self.recipe.target:
            return None
        asked = f"{self.recipe.target.size:,}"
        if self.size > self.recipe.target.size:
            return f"slots from ${self.recipe.cutoff:,} upwards are kept whole and hold more than the {asked} asked for"
        if self.size < self.recipe.target.size:
            return f"the pool has {self.size:,} items to give, and {asked} were asked for"
        if self.shortfall:
            few = f"{self.shortfall:,} item{'s' if self.shortfall > 1 else ''}"
            return f"slots hold {few} too few for the shape, which others give instead"
        return None


def make_plan(index: PoolIndex, recipe: Recipe) -> Plan:
    """Plan a recipe on an index of the same seed: exact, in milliseconds at millions of items, touching no row."""
    if index.seed != recipe.seed:
        raise ValueError(f"the index must be of the recipe's seed {recipe.seed}, got one of {index.seed}")
    by_slot = shape(recipe.target) if recipe.by_price else np.ones(SLOT_COUNT)
    weights = np.multiply.outer(by_slot, recipe.weight_array(index.categories))
    weights[:LOWEST_SLOT] = 0
    thresholds, counts, ties = _cut(index, recipe, weights)
    possible = (thresholds[:, None] > 0) & (weights > 0)
    return Plan(
        recipe=recipe,
        categories=index.categories,
        before=index.counts,
        counts=counts,
        limits=np.multiply(thresholds[:, None], weights, where=possible, out=np.zeros(weights.shape)),
        thresholds=np.multiply(thresholds, by_slot, where=thresholds > 0, out=np.zeros(SLOT_COUNT)),
        ties=ties,
        price_mean=_mean(_kept_sums(index, counts, index.prices, index.price_sums), counts),
        tokens_mean=_mean(_kept_sums(index, counts, index.tokens, index.token_sums), counts),
        market_price_mean=_mean(index.prices[LOWEST_SLOT:], index.counts[LOWEST_SLOT:]),
        market_tokens_mean=_mean(index.tokens[LOWEST_SLOT:], index.counts[LOWEST_SLOT:]),
    )


def _cut(index: PoolIndex, recipe: Recipe, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, Ties]:
    """Thresholds by slot, counts (1000, C) and ties, where the cells of slot and category have these weights."""
    counts = np.where(weights > 0, index.counts, 0)
    sizes = counts.sum(axis=1)
    kept = sizes if recipe.by_price else target_caps(sizes, recipe)
    counts[kept == 0] = 0
    thresholds, ties = np.where(kept > 0, np.inf, 0.0), {}
    cells, caps = _cells_to_cut(recipe, counts, sizes, kept)
    if len(cells):
        begins = index.starts[cells]
        segments = Segments(index.draws, begins, begins + counts.ravel()[cells], weights.ravel()[cells[0]])
        found, taken, exact = find_thresholds(segments, caps)
        slots = cells // weights.shape[1]
        for row in np.flatnonzero(~exact):
            found[row], taken[row], columns, keys = _settle(segments, row, index.keys, int(caps[row]))
            ties |= {int(slot): frozenset(keys[slots[row, columns] == slot].tolist()) for slot in slots[row, columns]}
        thresholds[slots] = found[:, None]
        counts.ravel()[cells] = taken
    return thresholds, counts, ties


def _cells_to_cut(
    recipe: Recipe, counts: np.ndarray, sizes: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The cells (slot · C + category) that share a threshold, one row for each; and how many items a row keeps."""
    if recipe.by_price:
        rows = [np.flatnonzero(counts)] if recipe.target.size < sizes.sum() else []
        return np.array(rows, dtype=np.int64), np.array([recipe.target.size])
    slots = np.flatnonzero((kept > 0) & (kept < sizes))
    columns = np.flatnonzero(counts.any(axis=0))
    return slots[:, None] * counts.shape[1] + columns, kept[slots]


def _settle(
    segments: Segments, row: int, keys: np.ndarray, cap: int
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Threshold and counts (columns) of a row whose edge no threshold meets exactly; columns and keys kept by tie."""
    begins, sizes = segments.begins[row], (segments.ends - segments.begins)[row]
    columns = np.repeat(np.arange(len(sizes)), sizes)
    places = np.arange(len(columns)) + np.repeat(begins - (sizes.cumsum() - sizes), sizes)
    draws, keys, weights = segments.draws[places], keys[places], segments.weights[columns]
    threshold, by_tie = settle(draws, weights, keys, cap)
    kept = draws < threshold * weights
    kept[by_tie] = True
    return threshold, np.bincount(columns[kept], minlength=len(sizes)), columns[by_tie], keys[by_tie]


def _kept_sums(index: PoolIndex, counts: np.ndarray, whole: np.ndarray, running: np.ndarray) -> np.ndarray:
    """Sums (1000, C) over the items that are kept, which stand first in their cells, from running sums over all."""
    kept = whole.copy()
    cells = np.flatnonzero(counts != index.counts)
    begins = index.starts[cells]
    kept.ravel()[cells] = running[begins + counts.ravel()[cells]] - running[begins]
    return kept


def in_sample(keys: np.ndarray, slots: np.ndarray, category_codes: np.ndarray, plan: Plan) -> np.ndarray:
    """Which items of the pool are in the sample: bool, item by item, so for any part of the pool in any order.

    Given are one array per property: keys (uint64), slots, and the positions of categories in `plan.categories`.
    """
    kept = draw(keys, SAMPLE_STREAM, plan.recipe.seed) < plan.limits[slots, category_codes]
    for slot, tied in plan.ties.items():
        kept |= (slots == slot) & np.isin(keys, np.array(list(tied), dtype=np.uint64))
    return kept


def _mean(sums: np.ndarray, counts: np.ndarray) -> float:
    return float(sums.sum() / counts.sum()) if counts.any() else float("nan")
