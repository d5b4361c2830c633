"""What a person wishes of a sample, how far a sample is from it, and why some wishes cannot be had together."""

import math
from dataclasses import dataclass, replace

import numpy as np

from pricer.curation.reach import Reach
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import Plan
from pricer.errors import PricerError
from pricer.items import LOWEST_SLOT, SLOT_COUNT

TOLERANCE = 0.02  # of a wish: what lies within counts as met
Number = float | np.ndarray


@dataclass(frozen=True)
class Wishes:
    """A sample's size, its mean price in dollars and its largest category share (0 to 1): any of them, or all.

    `keep` is a recipe to stay close to, instead of the market: its weights are where lowering starts, those of 0 stay.
    Raises PricerError where a value cannot be wished.
    """

    size: int | None = None
    price_mean: float | None = None
    most_share: float | None = None
    keep: Recipe | None = None

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise PricerError(f"size must be 1 item or more, got {self.size:,}")
        if self.price_mean is not None and not 0 < self.price_mean < math.inf:
            raise PricerError(f"mean price must be positive, got {self.price_mean}")
        if self.most_share is not None and not 0 < self.most_share <= 1:
            raise PricerError(f"largest share must be above 0% and at most 100%, got {100 * self.most_share:g}%")

    def any(self) -> bool:
        return (self.size, self.price_mean, self.most_share) != (None, None, None)

    def errors(self, size: Number, price_mean: Number, largest_share: Number) -> tuple[Number, Number, Number]:
        """How far samples are from each wish, relative to it, in this order; 0 where nothing is wished."""
        return (
            abs(size / self.size - 1) if self.size is not None else 0 * size,
            abs(price_mean / self.price_mean - 1) if self.price_mean is not None else 0 * price_mean,
            np.maximum(largest_share / self.most_share - 1, 0) if self.most_share is not None else 0 * largest_share,
        )

    def errors_of(self, plan: Plan) -> tuple[float, float, float]:
        return self.errors(plan.size, plan.price_mean, largest_share(plan))


def largest_share(plan: Plan) -> float:
    """The share (0 to 1) of the sample's largest category."""
    return float(plan.counts.sum(axis=0).max() / max(1, plan.size))


def nearest(errors: tuple[np.ndarray, ...], tolerance: float, among: np.ndarray | bool = True) -> np.ndarray:
    """Where, among some, errors are within the tolerance or about as small as they get: the first first. Bool."""
    passing = np.ones(errors[0].shape, dtype=bool) & among
    for error in errors:
        least = error[passing].min()
        passing &= error <= (tolerance if least <= tolerance else least + TOLERANCE / 10)
    return passing


def reachable(wishes: Wishes, within: Reach) -> Wishes:
    """The wishes, but with a size that some cutoff and cap reach, and with a mean that some reach at that size."""
    if wishes.size:
        wishes = replace(wishes, size=min(max(wishes.size, int(within.sizes.min())), int(within.sizes.max())))
    errors = wishes.errors(within.sizes, within.means, within.shares)
    of_size = nearest(errors[:1], TOLERANCE)
    if errors[1][of_size].min() > TOLERANCE:
        means = within.means[of_size]
        wishes = replace(wishes, price_mean=float(np.clip(wishes.price_mean, means.min(), means.max())))
    return wishes


def misses(wishes: Wishes, possible: Wishes, plan: Plan, within: Reach) -> tuple[str, ...]:
    """One sentence for each wish that a plan misses: what stands against it, and the nearest that can be had.

    `possible` are the wishes with what is reachable of size and mean, `within` is all that can be proposed.
    """
    size_error, mean_error, share_error = (error > TOLERANCE for error in wishes.errors_of(plan))
    size_miss = [_size_miss(wishes.size, plan, within)] if size_error else []
    mean_miss = [_mean_miss(wishes.price_mean, possible.size, plan, within)] if mean_error else []
    share_miss = [_share_miss(possible, plan, within)] if share_error else []
    return (*size_miss, *mean_miss, *share_miss)


def _size_miss(size: int, plan: Plan, within: Reach) -> str:
    most, least = int(within.sizes.max()), int(within.sizes.min())
    if size > most:
        whose = "the pool has" if most == plan.market_size else "categories of positive weight have"
        return f"{whose} {_items(most)}, fewer than {size:,}"
    if size < least:
        return f"a cap of 1 keeps an item from each of the {least:,} slots that hold any, more than {size:,}"
    return f"the nearest size that a cutoff and a cap give is {_items(plan.size)}"


def _mean_miss(mean: float, size: int | None, plan: Plan, within: Reach) -> str:
    what, means = "the mean", within.means
    if size:
        if size == within.sizes.max():
            return f"all {_items(size)} cost {_dollars(within.means[0, 0])} on average, not {_dollars(mean)}"
        cheapest, dearest = _bounds(within, size)
        if mean > dearest:
            at_most = f"the {size:,} dearest items cost at most {_dollars(dearest)} on average"
            return f"{at_most}, so no {_items(size)} reach a mean of {_dollars(mean)}"
        if mean < cheapest:
            at_least = f"the {size:,} cheapest items cost at least {_dollars(cheapest)} on average"
            return f"{at_least}, so no {_items(size)} come down to a mean of {_dollars(mean)}"
        what = f"the mean of {_items(size)}"
        means = means[nearest((abs(within.sizes / size - 1),), TOLERANCE)]
    low, high = _dollars(means.min()), _dollars(means.max())
    if means.min() <= mean <= means.max():
        return f"the nearest that a cutoff and a cap bring {what} to {_dollars(mean)} is {_dollars(plan.price_mean)}"
    span = f"{low} to {high}" if low != high else low
    return f"with a cutoff and a cap {what} is {span}, never {_dollars(mean)}"


def _bounds(within: Reach, number: int) -> tuple[float, float]:
    """What the mean of so many items cannot be below, or above: the cheapest slots, and the dearest, taken whole.

    A slot's items lie at most half a dollar from it, which bounds the slot that is not taken whole.
    """
    slots = np.arange(LOWEST_SLOT, SLOT_COUNT)
    sizes, dollars = within.slot_sizes, within.slot_sizes * within.slot_means
    means = []
    for order, margin in ((slice(None), -0.5), (slice(None, None, -1), 0.5)):
        taken = np.clip(number - (sizes[order].cumsum() - sizes[order]), 0, sizes[order])
        partly = taken * (slots[order] + margin)
        means.append(float(np.where(taken == sizes[order], dollars[order], partly).sum() / number))
    return means[0], means[1]


def _share_miss(wishes: Wishes, plan: Plan, within: Reach) -> str:
    weights = plan.recipe.weight_array(plan.categories)
    categories = int(np.count_nonzero(plan.before[LOWEST_SLOT:].any(axis=0) & (weights > 0)))
    if categories == 1:
        return "there is only one category, so its share is 100%"
    errors = wishes.errors(within.sizes, within.means, within.shares)
    least = min(largest_share(plan), float(within.shares[nearest(errors[:2], TOLERANCE)].min()))
    largest = plan.categories[int(plan.counts.sum(axis=0).argmax())].replace("_", " ")
    given = [name for name, wish in (("size", wishes.size), ("mean", wishes.price_mean)) if wish is not None]
    at = f"at this {' and '.join(given)}" if given else "with a cutoff and a cap"
    if wishes.most_share < 1 / categories:
        always = f"with {categories} categories the largest share is at least {1 / categories:.1%}"
        return (
            always if least * categories < 1 + TOLERANCE else f"{always}, and {at} {largest} keeps at least {least:.1%}"
        )
    if least > wishes.most_share:
        return f"{at}, {largest} keeps at least {least:.1%}"
    return f"{at}, the nearest largest share found is {largest_share(plan):.1%}, of {largest}"


def _items(number: int) -> str:
    return f"{number:,} item{'' if number == 1 else 's'}"


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}".removesuffix(".00")
