"""What counts before and after say about a sample: pure functions of tables by slot and category."""

from dataclasses import dataclass

import numpy as np

from pricer.items import LOWEST_SLOT, SLOT_COUNT

NOTEBOOK_SPIKES = (299, 399, 499, 999)
NEIGHBOURS = 5  # slots on either side
STANDS_OUT = 2.0  # times what is usual around a slot
CHANCE = 6.0  # standard deviations
MOST_SPIKES = 16


@dataclass(frozen=True)
class Spike:
    """A slot that holds more than the slots around it, as $299 and $399 do in every shop."""

    slot: int
    before: int  # items
    after: int
    times_before: float  # what is usual around it (see `_usual`); inf where that is nothing
    times_after: float


def spikes(before: np.ndarray, after: np.ndarray) -> tuple[Spike, ...]:
    """The spikes at the first notebook's prices that hold an item, and the others that stand out most, by slot.

    Given are items by slot (1000), before and after. A slot stands out if before it holds at least twice what is usual
    around it, and more than chance explains. Of the other prices, those with the most items beyond the usual are told.
    """
    usual_before, usual_after = _usual(before), _usual(after)
    beyond = before - usual_before
    out = (before >= STANDS_OUT * usual_before) & (beyond > CHANCE * np.sqrt(usual_before + 1))
    strongest = sorted(np.flatnonzero(out), key=lambda slot: -beyond[slot])
    always = [slot for slot in NOTEBOOK_SPIKES if before[slot]]
    others = [slot for slot in strongest if slot not in always][: MOST_SPIKES - len(always)]
    return tuple(
        Spike(
            int(slot),
            int(before[slot]),
            int(after[slot]),
            _times(before[slot], usual_before[slot]),
            _times(after[slot], usual_after[slot]),
        )
        for slot in sorted([*always, *others])
    )


def _usual(sizes: np.ndarray) -> np.ndarray:
    """The median of the five slots before each slot (1000) or of the five after it, whichever is larger.

    So the cheap end, where every slot holds fewer than the one before, is no row of spikes.
    """
    padded = np.full(SLOT_COUNT + 2 * NEIGHBOURS, np.inf)
    padded[NEIGHBOURS + LOWEST_SLOT : -NEIGHBOURS] = sizes[LOWEST_SLOT:]
    padded[-NEIGHBOURS:] = 0
    medians = np.median(np.lib.stride_tricks.sliding_window_view(padded, NEIGHBOURS), axis=1)
    return np.maximum(medians[:SLOT_COUNT], medians[NEIGHBOURS + 1 :])


def _times(items: int, usual: float) -> float:
    if usual:
        return float(items / usual)
    return float("inf") if items else 0.0


def effective_size(before: np.ndarray, after: np.ndarray) -> float:
    """How many market draws a sample is worth once it is reweighted to the market (Kish, 1965).

    (Σ before)² / Σ before²/after over the cells of slot and category of which the sample holds something: each of its
    items then counts before/after. Given are items by cell, in any shape.

    >>> round(effective_size(np.array([900, 100]), np.array([100, 100])), 1)
    122.0
    """
    held = after > 0
    before, after = before[held].astype(np.float64), after[held]
    return float(before.sum() ** 2 / (before**2 / after).sum()) if before.any() else 0.0


def evenness(counts: np.ndarray) -> float:
    """As even as so many equal parts: the exponential of the Shannon entropy of the shares; 0 where there is nothing.

    >>> round(evenness(np.array([5, 5, 5, 0])), 6)
    3.0
    """
    counts = counts[counts > 0]
    shares = counts / counts.sum() if len(counts) else np.zeros(0)
    return float(np.exp(-(shares * np.log(shares)).sum())) if len(counts) else 0.0


def median_slot(counts: np.ndarray) -> int:
    """The slot of the middle item (the lower one of two) of slots 1 to 999; 0 where there is none."""
    passed = counts[LOWEST_SLOT:].sum(axis=1).cumsum()
    return int((2 * passed >= passed[-1]).argmax()) + LOWEST_SLOT if passed[-1] else 0


def total_variation(before: np.ndarray, after: np.ndarray) -> float:
    """Half the sum of the differences of two distributions, given as counts; 0 where either is empty."""
    if not before.any() or not after.any():
        return 0.0
    return float(np.abs(before / before.sum() - after / after.sum()).sum() / 2)
