"""The leak lens: what the notebooks' split of a recipe's sample would have leaked into its exam, counted exactly.

An exam item leaks if an item of its group, a near-duplicate, is in train: who knows that one by heart has seen the
answer. Only groups with two items or more in the pool can leak, so these are loaded once, and a recipe is then looked
at in milliseconds.

    leaks = find_leaks(grouped_items(catalogue), index, make_plan(index, recipe))
    leaks.leaked, leaks.split.exam, leaks.expected_share
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from pricer.catalogue.store import Catalogue
from pricer.curation.index import PoolIndex
from pricer.curation.naive import EXAM, TRAIN, NaiveSplit, naive_split, shuffle_numbers
from pricer.curation.sampler import Plan, in_sample

EXAMPLES = 5
_EXAMPLE = ("title", "price", "train_title", "train_price", "group_size")


@dataclass(frozen=True, eq=False)
class Grouped:
    """The items of a pool whose group has at least two of them, in the order of their keys."""

    items: pl.DataFrame  # key, place (of its group, from 0), slot, code (of its category), price (dollars), title
    groups: int


@dataclass(frozen=True, eq=False)
class Leaks:
    """What a naive split of one sample leaks.

    `by_size` has a row for every size that a group has in the sample: size, items (of the sample in such groups), exam
    (items), leaked (items), expected (leaked items on average over all shuffles). `examples` has title, price,
    train_title, train_price and group_size of the first leaked items in the shuffle's order, each of another group.
    """

    split: NaiveSplit
    leaked: int  # exam items with an item of their group in train
    expected_share: float  # of the exam, on average over all shuffles of this sample
    copy_error: float | None  # dollars between a leaked item's price and the mean of its mates in train, on average
    by_size: pl.DataFrame
    examples: pl.DataFrame

    @property
    def share(self) -> float:
        """The part of the exam (0 to 1) that leaked."""
        return self.leaked / self.split.exam


def grouped_items(catalogue: Catalogue) -> Grouped:
    """Load what can leak of a catalogue: the items of its pool whose group has another one there."""
    pool = catalogue.pool()
    sizes = pool.group_by("group").len().filter(pl.col("len") > 1).select("group").collect()
    sizes = sizes.sort("group").with_row_index("place")
    code = pl.col("category").cast(pl.Enum(catalogue.manifest.categories)).to_physical().alias("code")
    items = pool.select("key", "group", "slot", code, "price", "title").join(sizes.lazy(), on="group")
    return Grouped(items.drop("group").collect(engine="streaming").sort("key"), len(sizes))


def find_leaks(grouped: Grouped, index: PoolIndex, plan: Plan) -> Leaks:
    """Shuffle a plan's sample by its recipe's seed, cut it as the notebooks did, and count what leaked.

    PricerError where the sample has fewer than three items.
    """
    split = naive_split(index, plan)
    arrays = [grouped.items[name].to_numpy() for name in ("key", "slot", "code")]
    rows = np.flatnonzero(in_sample(*arrays, plan))
    part, group = split.parts(arrays[0][rows]), grouped.items["place"].to_numpy()[rows]
    size, in_train = (np.bincount(places, minlength=grouped.groups) for places in (group, group[part == TRAIN]))
    sample = _Sample(rows, part, group, size[group], (part == EXAM) & (in_train[group] > 0))
    by_size = _by_size(split, sample)
    price, leaked = grouped.items["price"].to_numpy()[rows], sample.leaked
    dollars = np.bincount(group, np.where(part == TRAIN, price, 0), minlength=grouped.groups)
    gaps = np.abs(price[leaked] - dollars[group[leaked]] / in_train[group[leaked]])
    return Leaks(
        split=split,
        leaked=int(leaked.sum()),
        expected_share=float(by_size["expected"].sum()) / split.exam,
        copy_error=float(gaps.mean()) if len(gaps) else None,
        by_size=by_size,
        examples=_examples(grouped, split, sample),
    )


class _Sample(NamedTuple):
    """The items of a sample that have a mate in the pool, one value each."""

    row: np.ndarray  # in `Grouped.items`
    part: np.ndarray
    group: np.ndarray
    size: np.ndarray  # of its group in the sample
    leaked: np.ndarray


def leak_probability(size: int, items: int, train: int) -> float:
    """How likely an exam item of a group of this size leaks, when all of a sample's items are shuffled.

    Its size - 1 mates are a draw without replacement from the items - 1 others, of which train are in train: one less
    the hypergeometric probability that none of them is.

    >>> leak_probability(2, items=10, train=6), leak_probability(1, items=10, train=6)
    (0.6666666666666667, 0.0)
    """
    places = np.arange(size - 1)
    return 1 - float(np.prod(np.maximum(0, items - 1 - train - places) / (items - 1 - places)))


def _by_size(split: NaiveSplit, sample: _Sample) -> pl.DataFrame:
    """The rows of `Leaks.by_size`."""
    in_exam = sample.part == EXAM
    mated = {"size": sample.size, "items": np.ones_like(sample.size), "exam": in_exam, "leaked": sample.leaked}
    alone = {"size": 1, "items": split.items - len(sample.row), "exam": split.exam - int(in_exam.sum()), "leaked": 0}
    table = pl.concat([pl.DataFrame(rows).cast(pl.Int64) for rows in (mated, alone)]).group_by("size").sum()
    table = table.filter(pl.col("items") > 0).sort("size")
    probability = [leak_probability(size, split.items, split.train) for size in table["size"]]
    expected = pl.Series(probability, dtype=pl.Float64) * table["items"] * split.exam / split.items
    return table.with_columns(expected=expected)


def _examples(grouped: Grouped, split: NaiveSplit, sample: _Sample) -> pl.DataFrame:
    """The first leaked items, each with the first item of its group in train, by the shuffle."""
    numbers = shuffle_numbers(grouped.items["key"].to_numpy()[sample.row], split.seed)
    first = np.flatnonzero(sample.leaked)[np.argsort(numbers[sample.leaked])]
    _, once = np.unique(sample.group[first], return_index=True)
    examples = []
    for place in first[np.sort(once)][:EXAMPLES]:
        mates = np.flatnonzero((sample.group == sample.group[place]) & (sample.part == TRAIN))
        pair = (place, mates[numbers[mates].argmin()])
        item, mate = (grouped.items.row(int(sample.row[at]), named=True) for at in pair)
        size = int(sample.size[place])
        examples.append((item["title"], item["price"], mate["title"], mate["price"], size))
    types = (pl.String, pl.Float64, pl.String, pl.Float64, pl.Int64)
    return pl.DataFrame(examples, schema=dict(zip(_EXAMPLE, types, strict=True)), orient="row")
