"""The thresholds of many rows at once, from sorted draws alone.

A row is what shares one threshold: a capped slot, or all slots together. An item's score is its draw over its weight,
and a row keeps the items with the `cap` smallest scores: those with `draw < threshold * weight`. So within a segment,
whose items weigh the same, it keeps the smallest draws, and a threshold is known when it is known how many. Every row
starts from the threshold that the law of large numbers gives, counts exactly what that would keep (one binary search
per segment, all segments together), corrects itself, and sorts the few items that remain in doubt:
O(segments · log items).
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

ENOUGH_CORRECTIONS = 4
MOST_ROUNDS = 100
FEW_CANDIDATES = 96
SURELY_APART = 1e-12  # relative; far beyond the rounding of a score


@dataclass(frozen=True, eq=False)
class Segments:
    """Rows that hold more items than they may keep, by their segments (columns), all of positive weight."""

    draws: np.ndarray  # float64, of the whole index: ascending within each segment
    begins: np.ndarray  # int64 (rows, columns): positions in draws
    ends: np.ndarray
    weights: np.ndarray  # float64 (columns)


def find_thresholds(segments: Segments, caps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thresholds (rows), how many items they keep (rows, columns), and whether those are exactly the row's cap (rows).

    A cap is at least 1 and below the row's size. A threshold lies midway between the score of the last item kept and
    the next. It is not exact only where these two scores are equal, or neighbours in floating point: see `settle`.
    """
    low, high = _brackets(segments, caps)
    first, last = np.maximum(low - 1, segments.begins), np.minimum(high + 1, segments.ends)
    thresholds = _midway(segments, first, last, caps - (first - segments.begins).sum(axis=1))
    positions = _positions(segments.draws, first, last, thresholds[:, None] * segments.weights)
    counts = positions - segments.begins
    found = ((low <= positions) & (positions <= high)).all(axis=1)
    return thresholds, counts, found & (counts.sum(axis=1) == caps)


def fluid_thresholds(sizes: np.ndarray, weights: np.ndarray, caps: np.ndarray | int) -> np.ndarray:
    """Thresholds that are expected to keep each row's cap: t where the sum of n·(1 - exp(-t·w)) is that.

    Newton's method from where t would be if all weighed the mean: the sum is concave in w, so that is no larger than
    the root, and concave in t, so it rises to the root and never beyond. `sizes` is (rows, columns), every row's sum
    above its cap. Good to about one part in a thousand.
    """
    totals = sizes.sum(axis=1)
    surplus = totals - caps
    with np.errstate(all="ignore"):  # far-apart weights may leave nothing finite; the search then does without
        thresholds = np.log(totals / surplus) * totals / _weighted_sums(sizes, weights)
        for _ in range(50):
            left = sizes * np.exp(-thresholds[:, None] * weights)
            steps = (left.sum(axis=1) - surplus) / _weighted_sums(left, weights)
            thresholds += steps
            if not (steps > 1e-3 * thresholds).any():
                break
    return thresholds


def _weighted_sums(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`values @ weights` in one thread: for one long row, waking others takes longer than the sum."""
    return np.einsum("rc,c->r", values, weights)


def _brackets(segments: Segments, caps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (rows, columns) before which every item is kept, and from which on none is, close together."""
    sizes = segments.ends - segments.begins
    low, high = segments.begins.copy(), segments.ends.copy()
    surely_few, surely_many = np.zeros(len(low)), np.full(len(low), np.inf)  # the thresholds that gave low and high
    rows = np.arange(len(low))  # those still in work
    guesses = fluid_thresholds(sizes, segments.weights, caps)
    for attempt in range(MOST_ROUNDS):
        useful = (surely_few[rows] < guesses) & (guesses < surely_many[rows]) & (attempt < ENOUGH_CORRECTIONS)
        if not useful.all():
            guesses = np.where(useful, guesses, _middle_scores(segments, low[rows], high[rows]))
        middle = _positions(segments.draws, low[rows], high[rows], guesses[:, None] * segments.weights)
        missing = caps[rows] - (middle - segments.begins[rows]).sum(axis=1)
        few, many = missing >= 0, missing <= 0
        low[rows[few]], surely_few[rows[few]] = middle[few], guesses[few]
        high[rows[many]], surely_many[rows[many]] = middle[many], guesses[many]
        wide = (high[rows] - low[rows]).sum(axis=1) > FEW_CANDIDATES
        if not wide.any():
            break
        rows, guesses = rows[wide], _corrected(guesses[wide], missing[wide], sizes[rows[wide]], segments.weights)
    return low, high


def _corrected(guesses: np.ndarray, missing: np.ndarray, sizes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Step towards the missing items, and so far beyond that the next count most likely falls on the other side."""
    with np.errstate(all="ignore"):
        items_per_unit = _weighted_sums(sizes * np.exp(-guesses[:, None] * weights), weights)
        return guesses + (missing + np.sign(missing) * (3 * np.sqrt(np.abs(missing)) + 1)) / items_per_unit


def _middle_scores(segments: Segments, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """A score in the middle of each row's candidates, which parts at least a quarter of them off on either side.

    It is the median of the segments' middle scores, each counting as often as its segment has candidates.
    """
    sizes = high - low
    scores = segments.draws.take((low + high) // 2, mode="clip") / segments.weights
    order = np.where(sizes > 0, scores, np.inf).argsort(axis=1)
    passed = np.take_along_axis(sizes, order, axis=1).cumsum(axis=1)
    middle = (2 * passed >= passed[:, -1:]).argmax(axis=1)
    return np.take_along_axis(scores, order, axis=1)[np.arange(len(scores)), middle]


def _positions(draws: np.ndarray, low: np.ndarray, high: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Where in each of many segments the draws reach its limit: `searchsorted(side="left")` for all of them at once."""
    low, high = low.copy(), high.copy()
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        below = (draws.take(middle, mode="clip") < limits) & (low < high)
        low = np.where(below, middle + 1, low)
        high = np.where(below, high, middle)
    return low


def _midway(segments: Segments, first: np.ndarray, last: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Halfway between the rank-th smallest score (from 1) and the next, of each row's candidates from first to last."""
    sizes = last - first
    per_row = sizes.sum(axis=1)
    rows = np.repeat(np.arange(len(sizes)), per_row)
    columns = np.arange(len(rows)) - np.repeat(per_row.cumsum() - per_row, per_row)
    flat = sizes.ravel()
    positions = np.arange(len(rows)) + np.repeat(first.ravel() - (flat.cumsum() - flat), flat)
    weights = np.repeat(np.broadcast_to(segments.weights, sizes.shape).ravel(), flat)
    scores = np.full((len(sizes), per_row.max()), np.inf)
    scores[rows, columns] = segments.draws[positions] / weights
    scores.sort(axis=1)
    every = np.arange(len(sizes))
    return (scores[every, ranks - 1] + scores[every, ranks]) / 2


def settle(draws: np.ndarray, weights: np.ndarray, keys: np.ndarray, cap: int) -> tuple[float, np.ndarray]:
    """The threshold of one row, and which of its items are kept although it does not keep them: ties go by key.

    Given are all items of positive weight. Around the edge scores are compared as fractions, without rounding. That is
    needed only where equal draws meet there: once in a thousand million plans, or in a pool made for it.
    """
    scores = draws / weights
    last, next_ = np.partition(scores, (cap - 1, cap))[[cap - 1, cap]]
    sure = np.flatnonzero(scores < last * (1 - SURELY_APART))
    near = np.flatnonzero((scores >= last * (1 - SURELY_APART)) & (scores <= next_ * (1 + SURELY_APART)))
    order = sorted(near, key=lambda item: (Fraction(draws[item]) / Fraction(weights[item]), keys[item]))
    kept = np.concatenate([sure, order[: cap - len(sure)]]).astype(np.int64)
    first_out = order[cap - len(sure)]
    others = np.delete(np.arange(len(draws)), kept)
    threshold = draws[first_out] / weights[first_out]
    while (draws[others] < threshold * weights[others]).any():
        threshold = np.nextafter(threshold, 0)
    return threshold, kept[draws[kept] >= threshold * weights[kept]]
