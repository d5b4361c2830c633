"""Plan what a recipe gives, exactly and at once, and decide item by item who is in the sample.

One law: an item of the pool is in the sample if and only if `draw < threshold[slot] * weight[category]`. A threshold
lets the items with the smallest draw / weight pass, which is weighted sampling without replacement (Efraimidis and
Spirakis, 2006), the law of `numpy.random.choice(p=..., replace=False)`. As an item's draw belongs to the item, the
sample does not depend on order or parts, only grows with the cap, and changes little when a weight moves.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from pricer.curation.index import PoolIndex
from pricer.curation.recipe import Recipe
from pricer.curation.thresholds import Segments, find_thresholds, settle_slot
from pricer.draws import SAMPLE_STREAM, draw
from pricer.items import LOWEST_SLOT, SLOT_COUNT


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
    thresholds: np.ndarray  # float64 (1000): inf keeps the whole slot, 0 nothing
    ties: dict[int, frozenset[int]]  # slot: keys of the items that it keeps by key, being level with the first left out
    price_mean: float
    tokens_mean: float
    market_price_mean: float
    market_tokens_mean: float

    @cached_property
    def limits(self) -> np.ndarray:
        """What a draw must stay below, by slot and category, float64 (1000, C): threshold · weight, 0 for weight 0."""
        weights = self.recipe.weight_array(self.categories)
        return np.multiply.outer(self.thresholds, weights, where=weights > 0, out=np.zeros(self.counts.shape))

    @property
    def size(self) -> int:
        return int(self.counts.sum())

    @property
    def market_size(self) -> int:
        return int(self.before[LOWEST_SLOT:].sum())

    @property
    def price_median(self) -> int:
        return _median_slot(self.counts)

    @property
    def market_price_median(self) -> int:
        return _median_slot(self.before)

    @property
    def capped_slots(self) -> int:
        """How many slots the cap makes smaller."""
        return int(np.isfinite(self.thresholds[self.thresholds > 0]).sum())

    @property
    def price_distance(self) -> float:
        """Total variation (0 to 1) between the market's distribution over slots and the sample's."""
        return _total_variation(self.before[LOWEST_SLOT:].sum(axis=1), self.counts[LOWEST_SLOT:].sum(axis=1))

    @property
    def category_distance(self) -> float:
        """Total variation (0 to 1) between the market's distribution over categories and the sample's."""
        return _total_variation(self.before[LOWEST_SLOT:].sum(axis=0), self.counts[LOWEST_SLOT:].sum(axis=0))

    def shares(self) -> pl.DataFrame:
        """One row per category: category, before, after (items), share_before, share_after (0 to 1)."""
        before, after = self.before[LOWEST_SLOT:].sum(axis=0), self.counts[LOWEST_SLOT:].sum(axis=0)
        columns = {"category": self.categories, "before": before, "after": after}
        shares = {"share_before": before / max(1, before.sum()), "share_after": after / max(1, after.sum())}
        return pl.DataFrame(columns | shares, schema_overrides={"category": pl.String})

    def why_uncapped(self) -> str | None:
        """Why the cap changes nothing, in words for a person; None where it does."""
        if self.capped_slots:
            return None
        if self.recipe.cutoff == LOWEST_SLOT:
            return "every slot is kept whole"
        largest = int(self.before[LOWEST_SLOT:].sum(axis=1).max(initial=0))
        where = "no slot" if largest <= self.recipe.cap else f"no slot below ${self.recipe.cutoff:,}"
        return f"{where} holds more than {self.recipe.cap:,} item{'s' if self.recipe.cap > 1 else ''}"


def make_plan(index: PoolIndex, recipe: Recipe) -> Plan:
    """Plan a recipe on an index of the same seed: exact, in milliseconds at millions of items, touching no row."""
    if index.seed != recipe.seed:
        raise ValueError(f"the index must be of the recipe's seed {recipe.seed}, got one of {index.seed}")
    weights = recipe.weight_array(index.categories)
    sampled = np.zeros(index.counts.shape, dtype=bool)
    sampled[LOWEST_SLOT:] = weights > 0
    counts, prices, tokens = (np.where(sampled, all_, 0) for all_ in (index.counts, index.prices, index.tokens))
    sizes = counts.sum(axis=1)
    thresholds = np.where(sizes > 0, np.inf, 0.0)
    capped = np.flatnonzero((np.arange(SLOT_COUNT) < recipe.cutoff) & (sizes > recipe.cap))
    ties = {}
    if len(capped):
        cells = np.ix_(capped, np.flatnonzero(weights > 0))
        begins = index.starts[:-1].reshape(counts.shape)[cells]
        segments = Segments(index.draws, begins, begins + counts[cells], weights[weights > 0])
        thresholds[capped], counts[cells], exact = find_thresholds(segments, recipe.cap)
        for slot in capped[~exact]:
            thresholds[slot], counts[slot], ties[int(slot)] = _settle(index, int(slot), weights, recipe.cap)
        ends = begins + counts[cells]
        prices[cells] = index.price_sums[ends] - index.price_sums[begins]
        tokens[cells] = index.token_sums[ends] - index.token_sums[begins]
    return Plan(
        recipe=recipe,
        categories=index.categories,
        before=index.counts,
        counts=counts,
        thresholds=thresholds,
        ties=ties,
        price_mean=_mean(prices, counts),
        tokens_mean=_mean(tokens, counts),
        market_price_mean=_mean(index.prices[LOWEST_SLOT:], index.counts[LOWEST_SLOT:]),
        market_tokens_mean=_mean(index.tokens[LOWEST_SLOT:], index.counts[LOWEST_SLOT:]),
    )


def _settle(index: PoolIndex, slot: int, weights: np.ndarray, cap: int) -> tuple[float, np.ndarray, frozenset[int]]:
    """Threshold, counts by category, and the keys kept by tie, of a slot whose edge no threshold meets exactly."""
    begin, end = index.starts[[slot * len(weights), (slot + 1) * len(weights)]]
    codes = np.repeat(np.arange(len(weights)), index.counts[slot])
    possible = weights[codes] > 0
    draws, keys, codes = index.draws[begin:end][possible], index.keys[begin:end][possible], codes[possible]
    threshold, by_tie = settle_slot(draws, weights[codes], keys, cap)
    kept = draws < threshold * weights[codes]
    kept[by_tie] = True
    return threshold, np.bincount(codes[kept], minlength=len(weights)), frozenset(keys[by_tie].tolist())


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


def _median_slot(counts: np.ndarray) -> int:
    """The slot of the middle item (the lower one of two) of slots 1 to 999; 0 where there is none."""
    passed = counts[LOWEST_SLOT:].sum(axis=1).cumsum()
    return int((2 * passed >= passed[-1]).argmax()) + LOWEST_SLOT if passed[-1] else 0


def _total_variation(before: np.ndarray, after: np.ndarray) -> float:
    """Half the sum of the differences of two distributions, given as counts; 0 where either is empty."""
    if not before.any() or not after.any():
        return 0.0
    return float(np.abs(before / before.sum() - after / after.sum()).sum() / 2)
