"""What an item may be used for: exam, validation, sealed or pool, fixed when a catalogue is made."""

from dataclasses import dataclass

import numpy as np

from pricer.draws import ROLE_STREAM, draw
from pricer.items import ROLES

BANDS = (0, 10, 20, 50, 100, 200, 400, 700, 1000)  # dollars; a band holds its lower end
EXAM, VALIDATION, SEALED, POOL = range(len(ROLES))
_NOT_DRAWN = -1


@dataclass(frozen=True)
class Roles:
    """The role of each of n items, and the two exams as ranks, so that every first k of either is fair."""

    role: np.ndarray  # int8, a place in pricer.items.ROLES
    natural_rank: np.ndarray  # int64: 0, 1, … in the order of the draw; -1 outside the natural exam
    balanced_rank: np.ndarray  # int64: by rank in band, then band; -1 outside the balanced exam

    def count(self, role: int) -> int:
        return int((self.role == role).sum())


def assign_roles(keys: np.ndarray, groups: np.ndarray, prices: np.ndarray) -> Roles:
    """Draw exam and validation, seal what looks like them, and leave the rest to the pool.

    Takes uint64 keys, uint64 groups and prices in dollars of n items, in any order. The natural exam is a simple random
    sample of the market; the balanced exam holds as many items of every price band. Validation is the next items by
    draw whose group has no exam item: the exam's own law, without its near-duplicates.
    """
    count = len(keys)
    order = np.lexsort((keys, draw(keys, ROLE_STREAM, seed=0)))
    natural_size = min(10_000, count * 15 // 100)
    natural_rank = np.full(count, _NOT_DRAWN)
    natural_rank[order[:natural_size]] = np.arange(natural_size)
    balanced_rank = _balanced_ranks(order, prices, natural_size // 10)

    role = np.full(count, POOL, dtype=np.int8)
    role[(natural_rank >= 0) | (balanced_rank >= 0)] = EXAM
    beside_exam = np.isin(groups, groups[role == EXAM])
    free = order[~beside_exam[order]]
    role[free[: min(5_000, count * 5 // 100)]] = VALIDATION
    beside = np.isin(groups, groups[role != POOL])
    role[beside & (role == POOL)] = SEALED
    return Roles(role, natural_rank, balanced_rank)


def _balanced_ranks(order: np.ndarray, prices: np.ndarray, most: int) -> np.ndarray:
    """Rank the first items by draw of every band: first the first of each band, then the second of each, …"""
    band = np.searchsorted(BANDS, prices, side="right") - 1
    chosen, rank_in_band = [], []
    for number in range(len(BANDS) - 1):
        members = order[band[order] == number]
        members = members[: min(most, len(members) * 20 // 100)]
        chosen.append(members)
        rank_in_band.append(np.arange(len(members)))
    items, ranks = np.concatenate(chosen), np.concatenate(rank_in_band)
    balanced_rank = np.full(len(prices), _NOT_DRAWN)
    balanced_rank[items[np.lexsort((band[items], ranks))]] = np.arange(len(items))
    return balanced_rank
