"""Rows that are one item: equal ids, or equal title and text."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Merged:
    """Which of n rows stay as items, and what became of their prices."""

    kept: np.ndarray  # places of the rows that stay, ascending
    kept_for: np.ndarray  # for each row the place of the row that stands for it
    prices: np.ndarray  # for each kept row the lower median of its duplicates' prices
    spreads: np.ndarray  # for each kept row the dearest less the cheapest


def merge_duplicates(
    ids: np.ndarray, keys: np.ndarray, said: np.ndarray, contents: np.ndarray, prices: np.ndarray
) -> Merged:
    """Let the row with the smallest id stand for all its duplicates; no order of the rows changes the outcome.

    Takes item ids (str), their uint64 keys, uint64 hashes of title and text, uint64 hashes of the whole item, and
    prices in dollars. Of rows with one id that say different things, the one with the smallest hash stays.
    """
    count = len(ids)
    pairs = np.concatenate([_chains(keys), _chains(said)])
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    component = connected_components(graph, directed=False)[1]
    kept_for = np.arange(count)
    new_prices, spreads = prices.copy(), np.zeros(count)
    for members in _components_of_many(component):
        stays = min(members, key=lambda place: (ids[place], contents[place], place))
        kept_for[members] = stays
        ordered = np.sort(prices[members])
        new_prices[stays] = ordered[(len(ordered) - 1) // 2]
        spreads[stays] = ordered[-1] - ordered[0]
    kept = np.flatnonzero(kept_for == np.arange(count))
    return Merged(kept, kept_for, new_prices[kept], spreads[kept])


def _chains(values: np.ndarray) -> np.ndarray:
    """Pairs that link every row to the next with an equal value, int64 of shape (m, 2)."""
    order = np.argsort(values, kind="stable")
    equal = np.flatnonzero(values[order][1:] == values[order][:-1])
    return np.stack([order[equal], order[equal + 1]], axis=1)


def _components_of_many(component: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(component, kind="stable")
    cuts = np.flatnonzero(np.diff(component[order])) + 1
    sizes = np.diff(np.concatenate([[0], cuts, [len(order)]]))
    starts = np.concatenate([[0], cuts]).astype(np.int64)
    return [order[starts[place] : starts[place] + sizes[place]] for place in np.flatnonzero(sizes > 1)]
