"""The notebooks' split: shuffle the sample, cut exam and validation off, and let near-duplicates fall where they fall.

It is here to reproduce them and to measure what it leaks (`pricer.curation.leaks`). Pricer's own exam is drawn with its
groups, before there is any sample.
"""

from dataclasses import dataclass

import numpy as np
import xxhash

from pricer.curation.index import PoolIndex
from pricer.curation.sampler import Plan
from pricer.draws import splitmix64
from pricer.errors import PricerError

SPLIT_STREAM = xxhash.xxh3_64_intdigest(b"split")
EXAM, VALIDATION, TRAIN = range(3)
FEWEST = 3  # items that can be split: one for each part
RULE = (
    "sizes are in the second notebook's proportions: exam and validation hold 1 item in 82 each (10,000 of 820,000), "
    "or 1 in 22 (1,000 of 22,000, its lite split) where that is more, yet at most 1,000"
)
_LITE, _FULL, _LITE_EXAM = 22, 82, 1_000


@dataclass(frozen=True)
class NaiveSplit:
    """Where a shuffled sample is cut: an item's place in the shuffle says which part it is in."""

    seed: int
    train: int  # items
    validation: int
    exam: int
    exam_end: int  # the last shuffle number of the exam
    validation_end: int

    @property
    def items(self) -> int:
        return self.train + self.validation + self.exam

    def parts(self, keys: np.ndarray) -> np.ndarray:
        """EXAM, VALIDATION or TRAIN (int8) for each of these keys of the sample."""
        numbers = shuffle_numbers(keys, self.seed)
        return ((numbers > self.exam_end).astype(np.int8) + (numbers > self.validation_end)).astype(np.int8)


def naive_sizes(items: int) -> tuple[int, int, int]:
    """How many of a sample's items train, validation and exam hold; see RULE.

    >>> naive_sizes(820_000), naive_sizes(22_000), naive_sizes(50_000)
    ((800000, 10000, 10000), (20000, 1000, 1000), (48000, 1000, 1000))
    """
    held_out = max(1, items // _FULL, min(items // _LITE, _LITE_EXAM))
    return items - 2 * held_out, held_out, held_out


def naive_split(index: PoolIndex, plan: Plan) -> NaiveSplit:
    """Shuffle a plan's sample by the recipe's seed and cut it: exact, in milliseconds, touching no row.

    Raises PricerError where the sample has fewer than three items.
    """
    if plan.size < FEWEST:
        raise PricerError(f"a split needs at least {FEWEST} items, the recipe keeps {plan.size}")
    train, validation, exam = naive_sizes(plan.size)
    numbers = shuffle_numbers(sample_keys(index, plan), plan.recipe.seed)
    ends = [exam - 1, exam + validation - 1]
    exam_end, validation_end = np.partition(numbers, ends)[ends].tolist()
    return NaiveSplit(plan.recipe.seed, train, validation, exam, exam_end, validation_end)


def shuffle_numbers(keys: np.ndarray, seed: int) -> np.ndarray:
    """The places of items (by uint64 key) in a seeded shuffle, uint64: no two keys have the same."""
    with np.errstate(over="ignore"):
        return splitmix64(keys.astype(np.uint64, copy=False) + np.uint64((SPLIT_STREAM + seed) % 2**64))


def sample_keys(index: PoolIndex, plan: Plan) -> np.ndarray:
    """The keys of all items that a plan keeps, uint64 in the index's order: of every cell the first ones."""
    counts = plan.counts.ravel()
    gaps = index.starts[:-1] - (np.cumsum(counts) - counts)
    return index.keys[np.repeat(gaps, counts) + np.arange(counts.sum())]
