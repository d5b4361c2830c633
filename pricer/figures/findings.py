"""Chart titles that are findings: computed from the data shown, so that they can be trusted."""

import numpy as np

from pricer.figures.formats import category_name, count_of, dollars, points


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


def versus_finding(name: str, other: str, difference: float | None, tied: bool) -> str:
    """Say which of two runs errs less on the same items; `difference` is the first's error less the other's."""
    if difference is None:
        return "No item that both were asked"
    if tied:
        return f"{name} and {other} are tied"
    better, worse = (name, other) if difference < 0 else (other, name)
    return f"{better} errs {dollars(abs(difference))} less than {worse}"


def versus_note(
    difference: float, low: float | None, high: float | None, items: int, items_to_settle: int | None
) -> str:
    """How sure that is: the same items, the difference with its interval, and what would break a tie.

    >>> versus_note(-0.5, -1.25, 0.25, 400, 1812)
    'difference −$0.50 on the same 400 items, 95% interval −$1.25 to $0.25; about 1,800 items would settle it'
    """
    words = f"difference {dollars(difference)} on the same {count_of(items, 'item')}"
    if low is not None and high is not None:
        words += f", 95% interval {dollars(low)} to {dollars(high)}"
    return words + (f"; {settling(items_to_settle)}" if items_to_settle else "")


def settling(items_to_settle: int) -> str:
    """What would break a tie, with two figures: more would promise too much.

    >>> settling(8464), settling(7)
    ('about 8,500 items would settle it', 'about 7 items would settle it')
    """
    step = 10 ** max(0, len(str(items_to_settle)) - 2)
    return f"about {count_of(round(items_to_settle / step) * step, 'item')} would settle it"
