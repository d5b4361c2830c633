"""What cutoffs and caps can reach: size, mean price and smallest largest share, for very many pairs at once.

How many items a slot keeps does not depend on weights, as long as these are positive: min(n, cap) below the cutoff, all
n from it upwards. So running sums over the slots tell the size that every cutoff gives with a cap. Weights only choose
which items of a capped slot stay: there a set of categories keeps at least what the others leave open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pricer.items import LOWEST_SLOT, SLOT_COUNT

DISTANCES_AT_ONCE = 2048

CUTOFFS = np.arange(LOWEST_SLOT, SLOT_COUNT + 1)


@dataclass(frozen=True, eq=False)
class Reach:
    """Sample sizes and more for each cutoff (1000 rows, from 1) and each of some caps (columns, the largest first)."""

    slot_sizes: np.ndarray  # int64 (999): items of positive weight in slots 1 to 999
    slot_means: np.ndarray  # float64 (999): their mean price in dollars, 0 where there are none
    caps: np.ndarray  # int64 (caps)
    sizes: np.ndarray  # int64 (1000, caps): items in the sample
    means: np.ndarray  # float64 (1000, caps): dollars, as if each slot kept its mean
    shares: np.ndarray  # float64 (1000, caps): what the largest share cannot go below; 0 where nobody asked

    def distances(self, cells: np.ndarray, shape: np.ndarray) -> np.ndarray:
        """Total variation (0 to 1) of samples over slots from a shape (999 counts); cells are (row, column) pairs."""
        shape = shape / shape.sum()
        parts = np.array_split(cells, -(-len(cells) // DISTANCES_AT_ONCE))
        return np.concatenate([self._distances(part, shape) for part in parts])

    def _distances(self, cells: np.ndarray, shape: np.ndarray) -> np.ndarray:
        rows, columns = cells.T
        capped = np.arange(len(self.slot_sizes)) < rows[:, None]
        kept = np.where(capped, np.minimum(self.slot_sizes, self.caps[columns, None]), self.slot_sizes)
        return np.abs(kept / self.sizes[rows, columns][:, None] - shape).sum(axis=1) / 2


def caps_between(low: int, high: int, most: int) -> np.ndarray:
    """Caps from low to high, the largest first: all of them, or about so many in equal ratios."""
    if high - low < most:
        return np.arange(high, low - 1, -1)
    return np.unique(np.rint(np.geomspace(low, high, most)).astype(np.int64))[::-1]


def caps_around(caps: np.ndarray, first: int, last: int, most: int) -> np.ndarray:
    """Caps between two places of others, their neighbours included."""
    return caps_between(int(caps[min(last + 1, len(caps) - 1)]), int(caps[max(first - 1, 0)]), most)


def reach(counts: np.ndarray, prices: np.ndarray, caps: np.ndarray, most_share: float | None) -> Reach:
    """What these caps give with every cutoff, for items and dollars by slot (999) and category of positive weight.

    `most_share` says for which wish the shares are asked; None leaves them out.
    """
    sizes = counts.sum(axis=1)
    means = np.divide(prices.sum(axis=1), sizes, where=sizes > 0, out=np.zeros(len(sizes)))
    kept = np.minimum(sizes[:, None], caps)
    size = _with_every_cutoff(kept, sizes)
    mean = _with_every_cutoff(kept * means[:, None], sizes * means) / size
    share = np.zeros(size.shape)
    for chosen in _suspects(counts.sum(axis=0), most_share) if most_share else []:
        theirs = counts[:, chosen].sum(axis=1)
        forced = np.clip(caps - (sizes - theirs)[:, None], 0, theirs[:, None])
        share = np.maximum(share, _with_every_cutoff(forced, theirs) / (len(chosen) * size))
    return Reach(sizes, means, caps, size, mean, share)


def _with_every_cutoff(capped: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Sums over slots (1000, caps) if those below a cutoff count as `capped` (999, caps), the others `whole` (999)."""
    sums = np.zeros((len(whole) + 1, capped.shape[1]), capped.dtype)
    np.cumsum(capped, axis=0, out=sums[1:])
    sums[:-1] += whole[::-1].cumsum()[::-1, None]
    return sums


def _suspects(sizes: np.ndarray, most_share: float) -> list[Sequence[int]]:
    """Sets of categories that may keep too much together: each alone, and the largest two, three and so on."""
    largest_first = np.argsort(-sizes, kind="stable").tolist()
    together = range(2, min(len(sizes), int(1 / most_share)) + 1)
    return [*([category] for category in largest_first), *(largest_first[:number] for number in together)]
