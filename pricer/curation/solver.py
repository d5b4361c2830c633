"""Propose a recipe for a wished size, mean price and largest share, and say what it costs or which wishes conflict.

Cutoff and cap are chosen among very many pairs, whose size and mean price are known without a plan (see `reach`).
Weights are then lowered by Newton's method on exact plans: how a category's items follow a weight comes from the law
of large numbers, n·(1 - exp(-t·w)) with the plan's own thresholds t; where that leads is counted, not estimated.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, product

import numpy as np

from pricer.curation.index import PoolIndex
from pricer.curation.reach import CUTOFFS, Reach, caps_around, caps_between, reach
from pricer.curation.recipe import SMALLEST_WEIGHT, Recipe
from pricer.curation.sampler import Plan, make_plan
from pricer.curation.wishes import TOLERANCE, Wishes, largest_share, misses, nearest, reachable
from pricer.errors import PricerError
from pricer.items import LOWEST_SLOT

__all__ = ["Solution", "Wishes", "solve"]

# How near to a wish is near enough, tried one after the other, each with the part of the wished share that may be
# forced: where nearly all of it is, only very small weights could meet it.
Ladder = tuple[tuple[float, float], ...]
PARTS_FORCED = (0.9, 0.98, 1.0)
LOOSELY = tuple(product([TOLERANCE], PARTS_FORCED))
ROUGHLY = (*product([0.005, 0.01], PARTS_FORCED), *LOOSELY)
NEARLY = (*product([0.001], PARTS_FORCED), *ROUGHLY)
FINELY = (*product([0.0002], PARTS_FORCED), *NEARLY)
CAPS, CAPS_AROUND = 400, 64  # how many are looked at together: of all, and around one of them
CUTOFFS_AROUND = 20  # on either side of one of them
SHARES_AIMED_AT = 0.997  # of the wished share, so that weights of few digits do not exceed it
NEAR_BOUND = 1.005  # of what is forced, the least that is aimed at: below that only vanishing weights lead
SMALLEST_FACTOR = 1e-4  # of what a weight was
MOST_CELLS = 4000
TRIALS = 3
CORRECTIONS = 3
ROUNDS, FULL_STEPS = 20, 4


@dataclass(frozen=True, eq=False)
class Solution:
    """A proposed recipe with its plan, and what it costs."""

    recipe: Recipe
    plan: Plan
    met: bool  # every wish within 2 %
    misses: tuple[str, ...]  # one sentence for each wish that is not met
    lost_items: int  # of the pool, not in the sample
    price_distance: float  # from the market, 0 to 1
    category_distance: float
    seconds: float  # that finding it took


@dataclass(frozen=True, eq=False)
class _Task:
    """What stays the same while a recipe is sought."""

    index: PoolIndex
    wishes: Wishes  # as far as size and mean can be reached
    start: Recipe  # whose weights and seed are the first ones tried
    counts: np.ndarray  # int64 (999, categories of positive weight)
    prices: np.ndarray  # float64, the same: dollars
    shape: np.ndarray  # int64 (999): the slots of the market, or of the recipe to keep
    every: Reach  # of caps from the smallest to the largest that may be proposed
    cutoffs: np.ndarray  # bool (1000, 1): which may be

    def reach(self, caps: np.ndarray) -> Reach:
        return reach(self.counts, self.prices, caps, self.wishes.most_share)


def solve(index: PoolIndex, wishes: Wishes, seed: int = 42) -> Solution:
    """Propose cutoff, cap and weights that meet the wishes within 2 %, or come nearest: size first, then mean, share.

    Among recipes that meet them alike, the one nearest to the market's prices (or to those of `wishes.keep`) is taken.
    Weights are lowered only of categories that would be above the wished share. The index must be of the same seed.
    Raises PricerError where nothing is wished or nothing can be chosen from.
    """
    started = time.perf_counter()
    task = _task(index, wishes, seed)
    best = _best(task.wishes, (_search(attempt) for attempt in (*_small_changes(task), task)))
    missed = misses(wishes, task.wishes, best, task.every)
    return Solution(
        recipe=best.recipe,
        plan=best,
        met=not missed,
        misses=missed,
        lost_items=best.market_size - best.size,
        price_distance=best.price_distance,
        category_distance=best.category_distance,
        seconds=time.perf_counter() - started,
    )


def _task(index: PoolIndex, wishes: Wishes, seed: int) -> _Task:
    if not wishes.any():
        raise PricerError("a size, a mean price or a largest share must be wished")
    keep = wishes.keep
    start = Recipe(cutoff=LOWEST_SLOT, cap=1, seed=seed)
    if keep:
        start = start.model_copy(update={"weights": keep.weights, "default_weight": keep.default_weight})
    possible = start.weight_array(index.categories) > 0
    counts, prices = index.counts[LOWEST_SLOT:, possible], index.prices[LOWEST_SLOT:, possible]
    if not counts.any():
        some = index.counts[LOWEST_SLOT:].any()
        raise PricerError("every category that has items has weight 0" if some else "the pool has no item to choose")
    kept = make_plan(index, keep.model_copy(update={"seed": seed})).counts if keep else index.counts
    shape = kept[LOWEST_SLOT:].sum(axis=1)
    every = reach(counts, prices, caps_between(1, int(counts.sum(axis=1).max()), CAPS), wishes.most_share)
    cutoffs = np.ones((len(CUTOFFS), 1), dtype=bool)
    return _Task(index, reachable(wishes, every), start, counts, prices, shape, every, cutoffs)


def _small_changes(task: _Task) -> Iterator[_Task]:
    """First only the cap of the recipe to keep may change, then only its cutoff."""
    keep = task.wishes.keep
    if keep and keep.cap:
        yield replace(task, cutoffs=CUTOFFS[:, None] == keep.cutoff)
        if keep.cap < task.every.caps[0]:
            yield replace(task, every=task.reach(np.array([keep.cap])))


def _best(wishes: Wishes, plans: Iterable[Plan]) -> Plan:
    """The first plan that meets the wishes, or else the one that comes nearest."""
    best = None
    for plan in plans:
        if best is None or _rank(wishes, plan) < _rank(wishes, best):
            best = plan
        if _is_met(wishes, best):
            break
    return best


def _is_met(wishes: Wishes, plan: Plan) -> bool:
    return max(wishes.errors_of(plan)) <= TOLERANCE


def _rank(wishes: Wishes, plan: Plan) -> tuple[float, ...]:
    """Smaller is better: the errors, as far as they matter."""
    return tuple(max(error, TOLERANCE / 4) for error in wishes.errors_of(plan))


# Cutoff and cap


def _search(task: _Task) -> Plan:
    """The best exact plan: of pairs of cutoff and cap over the whole range, in the promising part, and around a few."""
    columns = np.flatnonzero(_passing(task, task.every, task.wishes, ROUGHLY).any(axis=0))
    these = task.reach(caps_around(task.every.caps, columns[0], columns[-1], CAPS))
    cells = (cell for ladder in (NEARLY, LOOSELY) for cell in _cells(task, these, task.wishes, ladder)[:TRIALS])
    trials = None if _can_be_met(task, these) else 1
    return _best(task.wishes, (_settled(task, these, *cell) for cell in islice(cells, trials)))


def _can_be_met(task: _Task, within: Reach) -> bool:
    """Whether some pair meets all wishes, as far as can be told without a plan."""
    errors = task.wishes.errors(within.sizes, within.means, within.shares)
    passing = nearest(errors, TOLERANCE, task.cutoffs)
    return all(error[passing].min() <= TOLERANCE for error in errors)


def _passing(task: _Task, within: Reach, wishes: Wishes, ladder: Ladder) -> np.ndarray:
    """Which pairs come nearest to the wishes, bool (1000, caps)."""
    for tolerance, headroom in ladder:
        errors = wishes.errors(within.sizes, within.means, within.shares / headroom)
        passing = nearest(errors, tolerance, task.cutoffs)
        if all(error[passing].min() <= tolerance for error in errors):
            break
    return passing


def _cells(task: _Task, within: Reach, wishes: Wishes, ladder: Ladder) -> np.ndarray:
    """Rows and columns of the pairs to try: first the one of the closest shape, then those of the smallest shares."""
    cells = _closest(task, within, np.argwhere(_passing(task, within, wishes, ladder)))
    by_share = within.shares[tuple(cells.T)].argsort(kind="stable")
    return np.concatenate([cells[:1], cells[by_share]])


def _closest(task: _Task, within: Reach, cells: np.ndarray) -> np.ndarray:
    """Pairs by the distance of their shape: all, or every so manieth and those around the closest of them."""
    stride = -(-len(cells) // MOST_CELLS)
    few = cells[::stride]
    closest = few[within.distances(few, task.shape).argmin()]
    if stride > 1:
        few = np.concatenate([few, cells[(abs(cells - closest) <= 30).all(axis=1)]])
    return few[within.distances(few, task.shape).argsort(kind="stable")]


def _settled(task: _Task, these: Reach, row: int, column: int) -> Plan:
    """The best exact plan with cutoff and cap near those of a pair."""
    wishes, best, last = task.wishes, None, None
    task = replace(task, cutoffs=task.cutoffs & (abs(CUTOFFS - CUTOFFS[row]) <= CUTOFFS_AROUND)[:, None])
    fine = task.reach(caps_around(these.caps, column, column, CAPS_AROUND))
    for _ in range(CORRECTIONS):
        row, column = _cells(task, fine, wishes, FINELY)[0]
        if (row, column) == last:
            break
        last = (row, column)
        recipe = task.start.model_copy(update={"cutoff": int(CUTOFFS[row]), "cap": int(fine.caps[column])})
        plan = make_plan(task.index, recipe)
        if wishes.most_share:
            plan = _with_lower_weights(task.index, plan, max(wishes.most_share, NEAR_BOUND * fine.shares[row, column]))
        if best is None or _rank(task.wishes, plan) < _rank(task.wishes, best):
            best = plan
        if not wishes.price_mean or task.wishes.errors_of(plan)[1] <= TOLERANCE / 4:
            break
        # Which items stay in a slot moves its mean a little: aim as far beyond as this plan fell short.
        wishes = replace(wishes, price_mean=fine.means[row, column] * task.wishes.price_mean / plan.price_mean)
    return best


# Weights


def _with_lower_weights(index: PoolIndex, plan: Plan, most_share: float) -> Plan:
    """The plan after weights are lowered of the categories that would be above a share, and of no others."""
    start, most = plan.recipe, most_share * plan.size
    lowered, best = np.zeros(len(plan.categories)), plan  # lowered: the logarithms of the factors
    for attempt in range(ROUNDS):
        items = plan.counts.sum(axis=0)
        moving = np.flatnonzero((items > most) | (lowered < 0))
        missing = SHARES_AIMED_AT * most - items[moving]
        if (abs(missing) <= (1 - SHARES_AIMED_AT) * most).all():
            break
        steps = np.linalg.lstsq(_slopes(plan)[np.ix_(moving, moving)], missing, rcond=1e-9)[0].clip(-2, 2)
        steps *= min(1, FULL_STEPS / (attempt + 1))  # in a small pool counts jump, and full steps would go to and fro
        moved = (lowered[moving] + steps).clip(np.log(SMALLEST_FACTOR), 0)
        if np.array_equal(moved, lowered[moving]):
            break
        lowered[moving] = moved
        factors = {plan.categories[code]: float(np.exp(lowered[code])) for code in np.flatnonzero(lowered)}
        plan = make_plan(index, _reweighted(start, factors, digits=3))
        best = min(best, plan, key=lambda plan: max(largest_share(plan), most_share))
    factors = {name: best.recipe.weight(name) / start.weight(name) for name in plan.categories if start.weight(name)}
    rounded = make_plan(index, _reweighted(start, factors, digits=2))
    return rounded if largest_share(rounded) <= max(largest_share(best), most_share) else best


def _slopes(plan: Plan) -> np.ndarray:
    """How many items each category (rows) gains per unit of the logarithm of each category's weight (columns).

    In a capped slot what one category gains the others lose, each by how many of its items stand at the edge.
    """
    capped = np.isfinite(plan.thresholds) & (plan.thresholds > 0)
    reached = plan.limits[capped]
    at_edge = plan.before[capped] * reached * np.exp(-reached)
    total = at_edge.sum(axis=1, keepdims=True)
    parts = np.divide(at_edge, total, where=total > 0, out=np.zeros(at_edge.shape))
    return np.diag(at_edge.sum(axis=0)) - at_edge.T @ parts


def _reweighted(recipe: Recipe, factors: dict[str, float], digits: int) -> Recipe:
    """A recipe with the weights of some categories multiplied, and rounded to a few significant digits."""
    lowered = {name: recipe.weight(name) * factor for name, factor in factors.items() if factor < 1}
    weights = {name: max(SMALLEST_WEIGHT, float(f"{weight:.{digits}g}")) for name, weight in lowered.items()}
    return Recipe(**recipe.model_dump() | {"weights": recipe.weights | weights})
