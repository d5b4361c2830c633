"""What fitting will take, told before it starts: measured once, as functions of the number of items and of settings."""

import math
from collections.abc import Callable

from pricer.models.contract import Estimate

MIB = 1 << 20


def linear(seconds: float, seconds_per_1000: float, mib: float, mib_per_1000: float) -> Callable[..., Estimate]:
    """A start, and so much for each 1,000 items, whatever the settings.

    Measured by `benchmarks/models.py --costs` on two cores at 1,000 to 158,000 generated items, whose full texts have
    1,600 characters; shorter ones take less. Times moved by half with what else the machine did.
    """

    def estimate(train_items: int, **settings: float) -> Estimate:
        thousands = train_items / 1000
        return Estimate(seconds + seconds_per_1000 * thousands, int((mib + mib_per_1000 * thousands) * MIB))

    return estimate


def word2vec(mib_per_1000: float) -> Callable[..., Estimate]:
    """Learning word vectors, and a line through their means, which takes so much for each 1,000 items."""

    def estimate(train_items: int, dimensions: int = 400, **settings: float) -> Estimate:
        thousands, share = train_items / 1000, dimensions / 400
        seconds = 2 + (0.6 + 0.7 * share) * thousands
        return Estimate(seconds, int((270 + (4 + mib_per_1000 * share) * thousands) * MIB))

    return estimate


def forest(train_items: int, dimensions: int = 400, trees: int = 100, **settings: float) -> Estimate:
    """Word vectors, and trees that sort all items by every dimension at each level, down to single items."""
    vectors = word2vec(6)(train_items, dimensions)
    seconds = 8e-8 * trees * dimensions * train_items * math.log2(train_items + 1)
    return Estimate(vectors.seconds + seconds, vectors.bytes + 130 * trees * train_items)


def boosted(train_items: int, trees: int = 1000, **settings: float) -> Estimate:
    """Word counts, and trees of fixed depth: time goes with the words that texts have, not with how many are known."""
    thousands = train_items / 1000
    seconds = 2 + 0.05 * thousands + trees * (0.003 + 0.0004 * thousands)
    return Estimate(seconds, int((260 + 7 * thousands + 0.02 * trees) * MIB))


def network(train_items: int, epochs: int = 2, **settings: float) -> Estimate:
    """Steps of 64 items through few weights."""
    thousands = train_items / 1000
    return Estimate(4 + 0.12 * epochs * thousands, int((520 + 4 * thousands) * MIB))


def deep_network(train_items: int, width: int = 4096, blocks: int = 8, epochs: int = 5, **settings: float) -> Estimate:
    """Steps of 64 items through many weights, each of which is then moved; AdamW keeps four numbers a weight."""
    weights = 5000 * width + 2 * blocks * width**2
    steps = epochs * math.ceil(train_items / 64)
    seconds_per_step = 0.02 + 64 * 6 * (weights - 5000 * width) / 6e10 + weights * 9e-9
    seconds = 5 + weights * 1.5e-8 + steps * seconds_per_step
    return Estimate(seconds, int((560 + 4 * train_items / 1000) * MIB + 18 * weights))


def everything(train_items: int, trees: int = 600, depth: int = 6, **settings: float) -> Estimate:
    """Words, characters and titles weighed, neighbours looked for among at most 50,000 items, and trees.

    20 seconds were measured at 7,500 items, and over 740, with 4.7 GB at most, at 100,000.
    """
    thousands = train_items / 1000
    seconds = 2 + 2.5 * thousands + 0.1 * thousands * min(thousands, 50) + trees * 2**depth * (4e-5 + 5e-6 * thousands)
    return Estimate(seconds, int((500 + 40 * thousands) * MIB))


def sparse_network(train_items: int, width: int = 128, epochs: int = 6, **settings: float) -> Estimate:
    """Steps of 64 items that move the vectors of their own words; words grow with the items, more slowly."""
    thousands = train_items / 1000
    words = 15_000 * thousands**0.8  # and pairs of words
    seconds = 3 + thousands * (0.5 + epochs * (0.2 + 0.003 * width))
    return Estimate(seconds, int((600 + 15 * thousands) * MIB + 16 * width * words))
