"""Chart titles that are findings: computed from the data shown, so that they can be trusted."""

import numpy as np

from pricer.figures.formats import category_name, count, points


def cap_finding(capped_slots: int, before: np.ndarray, cutoff: int) -> str:
    """Say what the cap does; `before` has one count per slot from 0."""
    if not capped_slots:
        return "Every slot is as it was"
    filled = int(np.count_nonzero(before[1:cutoff]))
    if capped_slots == filled:
        return "Flat up to the cutoff, untouched above it"
    return f"The cap cuts {count(capped_slots)} of the {count(filled)} slots below the cutoff"


def share_finding(names: list[str], before: np.ndarray, after: np.ndarray, weights: np.ndarray) -> str:
    """Say which share changed in a way that its weight does not suggest, or else which one changed most."""
    if not before.any() or not after.any() or len(names) < 2:
        return "Shares before and after"
    change = after / after.sum() - before / before.sum()
    lowest, highest = int(weights.argmin()), int(weights.argmax())
    only_lowest = np.count_nonzero(weights == weights[lowest]) == 1
    only_highest = np.count_nonzero(weights == weights[highest]) == 1
    if only_lowest and change[lowest] >= 0.0005:
        return f"{category_name(names[lowest])} grows although its weight is the lowest"
    if only_highest and change[highest] <= -0.0005:
        return f"{category_name(names[highest])} shrinks although its weight is the highest"
    most = int(np.abs(change).argmax())
    if abs(change[most]) < 0.0005:
        return "Every category keeps its share"
    return f"{category_name(names[most])} changes most: {points(float(change[most]))} points"
