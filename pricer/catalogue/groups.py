"""Near-duplicates: items whose descriptions share at least four fifths of their three-word shingles form a group.

Candidates come from MinHash bands (Broder, 1997; Leskovec, Rajaraman and Ullman, *Mining of Massive Datasets*, ch. 3),
so no pair is compared that does not look alike; each candidate is then judged by the true Jaccard similarity.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import rensa
import xxhash
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pricer.draws import splitmix64
from pricer.progress import Report, Step, silent

SIMILAR, VERY_SIMILAR = 0.8, 0.9
BANDS, BAND_ROWS = 21, 6  # a pair at 0.8 shares a band with probability 0.998, one at 0.5 with 0.28
_PERMUTATIONS_SEED = 1
_WORD = re.compile(r"\w+")
_SHINGLE_WORDS = 3
_ALL_PAIRS_UP_TO = 64  # in a larger bucket each text is compared with the next 64 by key
_CHUNK_SHINGLES = 4_000_000


@dataclass(frozen=True)
class Shingles:
    """The distinct shingles of each of n texts: text i has `values[offsets[i]:offsets[i + 1]]`, sorted."""

    values: np.ndarray  # uint32
    offsets: np.ndarray  # int64, n + 1

    def __len__(self) -> int:
        return len(self.offsets) - 1


def make_shingles(texts: Sequence[str]) -> Shingles:
    """Hash the three-word shingles of each text; one of fewer words is a single shingle, one of none has none."""
    hash_of = _WordHashes()
    flat = array("Q")
    lengths: list[int] = []
    for text in texts:
        words = _WORD.findall(text.lower())
        lengths.append(len(words))
        flat.extend([hash_of[word] for word in words])
    return _shingle_sets(np.frombuffer(flat, dtype=np.uint64), np.array(lengths, dtype=np.int64))


class _WordHashes(dict[str, int]):
    """Each word's hash, computed once."""

    def __missing__(self, word: str) -> int:
        self[word] = value = xxhash.xxh3_64_intdigest(word.encode())
        return value


def _shingle_sets(words: np.ndarray, lengths: np.ndarray) -> Shingles:
    counts = np.where(lengths >= _SHINGLE_WORDS, lengths - _SHINGLE_WORDS + 1, np.minimum(lengths, 1))
    owner = np.repeat(np.arange(len(lengths)), counts)
    starts = np.cumsum(lengths) - lengths
    first = starts[owner] + (np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner])
    last = starts[owner] + lengths[owner]
    mixed = np.zeros(len(owner), dtype=np.uint64)
    for step in range(_SHINGLE_WORDS):
        place = first + step
        word = np.where(place < last, words[np.minimum(place, max(len(words) - 1, 0))], np.uint64(step))
        mixed = splitmix64(mixed ^ word)
    coded = _distinct((owner.astype(np.uint64) << np.uint64(32)) | (mixed >> np.uint64(32)))
    sizes = np.bincount((coded >> np.uint64(32)).astype(np.int64), minlength=len(lengths))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Shingles((coded & np.uint64(0xFFFFFFFF)).astype(np.uint32), offsets)


def _distinct(values: np.ndarray) -> np.ndarray:
    """Sorted distinct values; numpy.unique hashes, which is eight times slower here."""
    ordered = np.sort(values)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - ordered.dtype.type(1)))]


def set_hashes(shingles: Shingles) -> np.ndarray:
    """One uint64 for each set of shingles; equal sets have equal hashes, the empty set has 0."""
    mixed = splitmix64(shingles.values.astype(np.uint64))
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    with np.errstate(over="ignore"):
        return sums[shingles.offsets[1:]] - sums[shingles.offsets[:-1]]


def band_hashes(shingles: Shingles) -> np.ndarray:
    """The MinHash bands of each text, uint64 of shape (n, 21): texts that share one are candidates."""
    if not len(shingles):
        return np.zeros((0, BANDS), dtype=np.uint64)
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
        splitmix64(shingles.values.astype(np.uint64)), shingles.offsets.astype(np.uint64),
        num_perm=BANDS * BAND_ROWS, seed=_PERMUTATIONS_SEED,
    )  # fmt: skip
    rows = np.array(matrix.to_rows(), dtype=np.uint64).reshape(len(shingles), BANDS, BAND_ROWS)
    hashes = np.zeros((len(shingles), BANDS), dtype=np.uint64)
    for step in range(BAND_ROWS):
        hashes = splitmix64(hashes ^ rows[:, :, step])
    return hashes


def name_groups(
    keys: np.ndarray, sets: np.ndarray, bands: np.ndarray, shingles: Shingles, report: Report = silent
) -> np.ndarray:
    """Name each item's group by the smallest key in it: uint64 of shape (n,).

    Takes the items' keys, `set_hashes`, `band_hashes` and shingles, in any order; the answer depends on no order.
    A group larger than max(50, 0.5 % of the items) is cut again at a similarity of 0.9, and what is still larger at
    equal shingles, because chains of small differences would else join unlike products.
    """
    leaders, leader_of = _one_for_each_set(keys, sets)
    pairs = _candidate_pairs(bands[leaders], sets[leaders] != 0)
    similarities = _similarities(pairs, leaders, shingles, report)
    largest = max(50, int(0.005 * len(keys)))
    sizes = np.bincount(leader_of, minlength=len(leaders))
    component = _components(pairs, similarities >= SIMILAR, len(leaders))
    for least in (VERY_SIMILAR, 2.0):  # above 1: no pair is joined any more, only equal shingles
        too_large = np.bincount(component, weights=sizes)[component] > largest
        if not too_large.any():
            break
        inside = too_large[pairs[:, 0]] & (similarities >= least)
        finer = _components(pairs, inside, len(leaders))
        component = np.where(too_large, finer + component.max() + 1, component)
        component = np.unique(component, return_inverse=True)[1]
    of_item = component[leader_of]
    smallest = np.full(len(leaders), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(smallest, of_item, keys)
    return smallest[of_item]


def _one_for_each_set(keys: np.ndarray, sets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Let the item with the smallest key stand for all with equal shingles; items without any stand alone."""
    distinct = np.where(sets == 0, keys, sets)
    order = np.lexsort((keys, distinct))
    starts = np.concatenate([[True], distinct[order][1:] != distinct[order][:-1]]) if len(order) else order == 0
    leader_of = np.empty(len(keys), dtype=np.int64)
    leader_of[order] = np.cumsum(starts) - 1
    leaders = order[starts]
    by_key = np.argsort(keys[leaders])  # so that a bucket's order is the keys' order
    place = np.empty_like(by_key)
    place[by_key] = np.arange(len(by_key))
    return leaders[by_key], place[leader_of]


def _candidate_pairs(bands: np.ndarray, has_shingles: np.ndarray) -> np.ndarray:
    """Distinct pairs (i < j) of texts that share a band, int64 of shape (m, 2)."""
    count = len(bands)
    codes = [np.zeros(0, dtype=np.int64)]
    usable = np.flatnonzero(has_shingles)
    for band in bands[usable].T:
        order = usable[np.argsort(band, kind="stable")]
        values = np.sort(band)
        starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])) if len(values) else order
        sizes = np.diff(np.concatenate([starts, [len(values)]]))
        reach = np.minimum(np.repeat(sizes - 1, sizes), _ALL_PAIRS_UP_TO)
        place = np.arange(len(values)) - np.repeat(starts, sizes)
        for gap in range(1, int(reach.max(initial=0)) + 1):
            left = np.flatnonzero((reach >= gap) & (place + gap < np.repeat(sizes, sizes)))
            codes.append(order[left] * count + order[left + gap])
        codes = [_distinct(np.concatenate(codes))]
    return np.stack(np.divmod(codes[0], max(count, 1)), axis=1)


def _similarities(pairs: np.ndarray, leaders: np.ndarray, shingles: Shingles, report: Report) -> np.ndarray:
    """The true Jaccard similarity of each pair's shingles, float64 of shape (m,)."""
    similarities = np.empty(len(pairs))
    sizes = np.diff(shingles.offsets)[leaders]
    for start, stop in _chunks(sizes[pairs].sum(axis=1)):
        part = pairs[start:stop]
        shared = _shared_counts(part, leaders, shingles)
        total = sizes[part].sum(axis=1)
        similarities[start:stop] = shared / (total - shared)
        report(Step("Comparing near-duplicates", stop, "pairs", stop / len(pairs)))
    return similarities


def _chunks(sizes: np.ndarray) -> Iterator[tuple[int, int]]:
    """Cut the pairs into runs of bounded memory."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        budget = _CHUNK_SHINGLES + (ends[start - 1] if start else 0)
        stop = max(start + 1, int(np.searchsorted(ends, budget, side="right")))
        yield start, stop
        start = stop


def _shared_counts(pairs: np.ndarray, leaders: np.ndarray, shingles: Shingles) -> np.ndarray:
    """How many shingles the two texts of each pair share: a value that occurs twice in their sorted union is shared."""
    items = leaders[pairs.ravel()]
    starts, sizes = shingles.offsets[items], np.diff(shingles.offsets)[items]
    ends = np.cumsum(sizes)
    place = np.arange(ends[-1]) - np.repeat(ends - sizes, sizes) + np.repeat(starts, sizes)
    pair = np.repeat(np.arange(len(items)) // 2, sizes)
    coded = np.sort((pair.astype(np.uint64) << np.uint64(32)) | shingles.values[place])
    twice = coded[1:][coded[1:] == coded[:-1]]
    return np.bincount((twice >> np.uint64(32)).astype(np.int64), minlength=len(pairs))


def _components(pairs: np.ndarray, joined: np.ndarray, count: int) -> np.ndarray:
    edges = pairs[joined]
    graph = coo_array((np.ones(len(edges), dtype=np.int8), (edges[:, 0], edges[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1]
