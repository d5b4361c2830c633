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


@dataclass(frozen=True)
class PublishedRoles:
    """The roles of a set's items as it was published, by item id; of the exam also its two ranks (-1: not in it)."""

    exam: dict[str, tuple[int, int]]  # natural rank, balanced rank; empty where its prices are withheld
    validation: frozenset[str]

    def assign(self, ids: np.ndarray, groups: np.ndarray) -> Roles:
        """Keep these roles, so that a run here is graded on the very exam of the runs there; seal what looks like it.

        Takes the ids (str) and uint64 groups of n items, in any order.
        """
        ranks = [self.exam.get(identifier, (_NOT_DRAWN, _NOT_DRAWN)) for identifier in ids]
        natural, balanced = (np.array([rank[place] for rank in ranks], dtype=np.int64) for place in (0, 1))
        role = np.full(len(ids), POOL, dtype=np.int8)
        role[[identifier in self.validation for identifier in ids]] = VALIDATION
        role[[identifier in self.exam for identifier in ids]] = EXAM
        role[(role == POOL) & np.isin(groups, groups[role != POOL])] = SEALED
        return Roles(role, natural, balanced)


def assign_roles(keys: np.ndarray, groups: np.ndarray, prices: np.ndarray) -> Roles:
    """Draw exam and validation, seal what looks like them, and leave the rest to the pool.

    Takes uint64 keys, uint64 groups and prices in dollars of n items, in any order. The natural exam is a simple random
    sample of the market, the first items by draw; validation is the next ones whose group has no natural exam item:
    the exam's own law, without its near-duplicates. Only then does the balanced exam take the first items by draw of
    every price band, validation's groups left out. (Drawn before validation, it would take from every dear band just
    the items that come next, and leave validation without any.)
    """
    count = len(keys)
    order = np.lexsort((keys, draw(keys, ROLE_STREAM, seed=0)))
    natural = order[: min(10_000, count * 15 // 100)]
    later = order[len(natural) :]
    free = later[~np.isin(groups[later], groups[natural])]
    validation = free[: min(5_000, count * 5 // 100)]
    eligible = order[~np.isin(groups[order], groups[validation])]
    balanced = _balanced(eligible, prices, most=len(natural) // 10)

    role = np.full(count, POOL, dtype=np.int8)
    role[natural] = role[balanced] = EXAM
    role[validation] = VALIDATION
    role[(role == POOL) & np.isin(groups, groups[role != POOL])] = SEALED
    return Roles(role, _ranks(natural, count), _ranks(balanced, count))


def _balanced(order: np.ndarray, prices: np.ndarray, most: int) -> np.ndarray:
    """The first items by draw of every band: first the first of each band, then the second of each, …"""
    band_sizes = np.histogram(prices, bins=BANDS)[0]
    band = np.searchsorted(BANDS, prices, side="right") - 1
    chosen = [order[band[order] == number][: min(most, size * 20 // 100)] for number, size in enumerate(band_sizes)]
    rank_in_band = np.concatenate([np.arange(len(members)) for members in chosen])
    items = np.concatenate(chosen)
    return items[np.lexsort((band[items], rank_in_band))]


def _ranks(items: np.ndarray, count: int) -> np.ndarray:
    ranks = np.full(count, _NOT_DRAWN)
    ranks[items] = np.arange(len(items))
    return ranks
