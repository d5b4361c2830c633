"""What a target asks of every slot, and what the slots can give: plain arithmetic, which the page's script repeats."""

import numpy as np

from pricer.curation.recipe import Recipe, Target
from pricer.items import LOWEST_SLOT, SLOT_COUNT


def target_caps(sizes_by_slot: np.ndarray, recipe: Recipe) -> np.ndarray:
    """How many items each slot keeps, int64 (1000), for slots with so many items of positive weight.

    Below the cutoff a slot keeps at most the recipe's cap, or what its target gives it: in proportion to
    slot**exponent, where a slot that has too few items gives all and the others share the rest in proportion (water
    filling), in whole numbers by largest remainder, the lower slot first. From the cutoff upwards it keeps all, and
    these count for the target's size. Slot 0 keeps nothing. With a target by-price a slot has no number of its own.

    >>> sizes = np.zeros(1000, dtype=np.int64)
    >>> sizes[[10, 20, 30, 500]] = 2, 100, 100, 7
    >>> target_caps(sizes, Recipe(cutoff=400, target=Target(shape="flat", size=50)))[[10, 20, 30, 500]].tolist()
    [2, 21, 20, 7]
    """
    if recipe.by_price:
        raise ValueError("a target by-price has one threshold for all slots, and no cap for each")
    kept = sizes_by_slot.astype(np.int64)
    kept[:LOWEST_SLOT] = 0
    below = kept[LOWEST_SLOT : recipe.cutoff]
    if recipe.target:
        size = recipe.target.size - int(kept[recipe.cutoff :].sum())
        below[:] = _filled(below, shape(recipe.target)[LOWEST_SLOT : recipe.cutoff], max(0, size))
    else:
        np.minimum(below, recipe.cap, out=below)
    return kept


def shape(target: Target) -> np.ndarray:
    """What each slot weighs in a target, float64 (1000); slot 0 weighs nothing."""
    slots = np.arange(SLOT_COUNT, dtype=np.float64)
    base = (slots - LOWEST_SLOT) / (SLOT_COUNT - 1 - LOWEST_SLOT) if target.shape == "by-price" else slots
    weights = np.zeros(SLOT_COUNT)
    weights[LOWEST_SLOT:] = base[LOWEST_SLOT:] ** target.exponent
    return weights


def _filled(sizes: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """Whole parts of `size` in proportion to weights, none larger than its slot's size; all where that is too few."""
    if size >= sizes.sum():
        return sizes
    ratios = sizes / weights
    order = np.argsort(ratios, kind="stable")  # so the slots fill up
    full = np.concatenate([[0], sizes[order].cumsum()[:-1]])  # items of the slots before this one
    left = weights[order][::-1].cumsum()[::-1]  # weight of this slot and of those after it
    levels = (size - full) / left
    level = levels[(levels <= ratios[order]).argmax()]
    exact = np.minimum(sizes, level * weights)
    parts = np.floor(exact).astype(np.int64)
    most_cut_off = np.argsort(np.round(parts - exact, 9), kind="stable")  # rounded, so that a last bit decides nothing
    parts[most_cut_off[: size - parts.sum()]] += 1
    return parts


def wished_counts(before: np.ndarray, weights: np.ndarray, recipe: Recipe) -> np.ndarray | None:
    """The target's shape at its size, float64 (1000), before any slot falls short; None for a recipe with a cap.

    Given are the pool's items by slot (1000 rows) and category, and the categories' weights. Slots from the cutoff
    upwards wish what they have. By price, the shape is that of the weight: an item's share of the size is its share of
    all weight.
    """
    if not recipe.target:
        return None
    possible = np.where(weights > 0, before, 0).sum(axis=1).astype(np.float64)
    possible[:LOWEST_SLOT] = 0
    wished = shape(recipe.target)
    if recipe.by_price:
        wished *= before @ weights
    wished[recipe.cutoff :] = 0
    left = max(0.0, recipe.target.size - possible[recipe.cutoff :].sum())
    wished *= left / (wished.sum() or 1.0)
    wished[recipe.cutoff :] = possible[recipe.cutoff :]
    return wished
