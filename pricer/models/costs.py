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
        return Estimate(seconds, int((330 + (2 + mib_per_1000 * share) * thousands) * MIB))

    return estimate


def forest(train_items: int, dimensions: int = 400, trees: int = 100, **settings: float) -> Estimate:
    """Word vectors, and trees that sort all items by every dimension at each level, down to single items."""
    vectors = word2vec(14)(train_items, dimensions)
    seconds = 7e-8 * trees * dimensions * train_items * math.log2(train_items + 1)
    return Estimate(vectors.seconds + seconds, vectors.bytes + 130 * trees * train_items)


def boosted(train_items: int, words: int = 2000, trees: int = 1000, **settings: float) -> Estimate:
    """Word counts, and trees of fixed depth."""
    thousands = train_items / 1000
    seconds = 3 + trees * (0.004 + 0.001 * thousands + 2e-6 * words)
    return Estimate(seconds, int((330 + 8 * thousands + 0.02 * trees) * MIB))


def network(train_items: int, epochs: int = 2, **settings: float) -> Estimate:
    """Steps of 64 items through few weights."""
    thousands = train_items / 1000
    return Estimate(4 + 0.12 * epochs * thousands, int((450 + 3 * thousands) * MIB))


def deep_network(train_items: int, width: int = 4096, blocks: int = 8, epochs: int = 5, **settings: float) -> Estimate:
    """Steps of 64 items through many weights, each of which is then moved; AdamW keeps four numbers a weight."""
    weights = 5000 * width + 2 * blocks * width**2
    steps = epochs * math.ceil(train_items / 64)
    seconds_per_step = 0.02 + 64 * 6 * (weights - 5000 * width) / 6e10 + weights * 6e-9
    return Estimate(5 + steps * seconds_per_step, int(450 * MIB + 24 * weights + 3 * MIB * train_items / 1000))


def everything(train_items: int, trees: int = 600, depth: int = 6, **settings: float) -> Estimate:
    """Words, characters and titles weighed, neighbours looked for among at most 50,000 items, and trees."""
    thousands = train_items / 1000
    seconds = 2 + 2.5 * thousands + 0.02 * thousands * min(thousands, 50) + trees * 2**depth * (4e-5 + 5e-6 * thousands)
    return Estimate(seconds, int((500 + 40 * thousands) * MIB))
