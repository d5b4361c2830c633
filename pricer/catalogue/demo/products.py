"""The products of the invented shop: how one is drawn, and the law that gives its price.

The logarithm of a price is that of the kind's base price, plus

- the brand's premium, times how much a name is worth for this kind;
- the material, the grade and every extra, as the tables of `kinds.py` state them;
- the kind's elasticity, times the logarithm of the size relative to the typical one;
- 0.75 times the logarithm of the pack count;
- the loss of a renewed or a used one, times how fast the category ages;
- 0.25 where a premium brand and a high grade meet: together they are worth more than apart;
- normal noise with a standard deviation of 0.38: what no listing tells.

A shop then turns the amount into a price that it would print (`shop_price`).
"""

import math
import random
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

from pricer.catalogue.demo import words
from pricer.catalogue.demo.kinds import CATEGORIES, MATERIALS, Category, Kind

NOISE = 0.38
PACK_ELASTICITY = 0.75
PREMIUM_BRAND, HIGH_GRADE, PREMIUM_TOGETHER = 0.4, 0.3, 0.25
SMALL_SELLER = -0.2  # the premium of a name that nobody knows
CONDITIONS = {"new": 0.0, "renewed": -0.32, "used": -0.55}

LEAN_TO_CHEAP = -0.55  # a kind is listed in proportion to the price of its smallest pack, to this power
SECOND_HAND_FROM = 25  # dollars; nobody renews what is cheaper
ANCHORS = (49, 99, 149, 199, 249, 299, 399, 499, 999)  # whole dollars that shops are drawn to

Option = TypeVar("Option")


class Dice:
    """Choices that are the same on every machine: they rest on `Random.random`, which Python promises to keep."""

    def __init__(self, name: str) -> None:
        self.uniform = random.Random(name).random

    def chance(self, probability: float) -> bool:
        return self.uniform() < probability

    def pick(self, options: Sequence[Option]) -> Option:
        return options[int(self.uniform() * len(options))]

    def weighted(self, options: Sequence[Option], cumulative: Sequence[float]) -> Option:
        """Pick with the weights whose running sums are given."""
        return options[bisect(cumulative, self.uniform() * cumulative[-1])]

    def whole(self, low: int, high: int) -> int:
        """Pick a whole number from low to high, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def normal(self, deviation: float) -> float:
        """Draw from a normal distribution around 0 (Box and Muller, 1958)."""
        return deviation * math.sqrt(-2 * math.log(1 - self.uniform())) * math.cos(2 * math.pi * self.uniform())


@dataclass(frozen=True, slots=True)
class Product:
    """Everything about a product that decides its price or is worth telling."""

    category: Category
    kind: Kind
    brand: str
    premium: float
    grade: str
    material: str
    size: float | None
    pack: int
    extras: tuple[str, ...]
    condition: str
    colour: str
    noise: float


# Drawing a product


def _entry_price(kind: Kind) -> float:
    """What the smallest pack of a kind costs, in dollars."""
    return kind.price * (kind.packs[0] if kind.packs else 1) ** PACK_ELASTICITY


CATEGORY_WEIGHTS = tuple(accumulate(category.share for category in CATEGORIES))
KIND_WEIGHTS = {
    category.name: tuple(accumulate(_entry_price(kind) ** LEAN_TO_CHEAP for kind in category.kinds))
    for category in CATEGORIES
}
BRANDS = {category.name: tuple(category.brands.items()) for category in CATEGORIES}
GRADES = {category.name: tuple(category.grades) for category in CATEGORIES}
EXTRA_COUNT_WEIGHTS = (0.3, 0.7, 0.9, 1.0)


def draw_product(dice: Dice) -> Product:
    """Draw a product as the shop's tables suggest."""
    category = dice.weighted(CATEGORIES, CATEGORY_WEIGHTS)
    kind = dice.weighted(category.kinds, KIND_WEIGHTS[category.name])
    brand, premium = _brand(category, dice)
    return Product(
        category=category,
        kind=kind,
        brand=brand,
        premium=premium,
        grade=dice.pick(GRADES[category.name]) if dice.chance(0.45) else "",
        material=dice.pick(kind.materials),
        size=dice.pick(kind.scale.values) if kind.scale else None,
        pack=kind.packs[int(len(kind.packs) * dice.uniform() ** 2)] if kind.packs else 1,
        extras=_extras(kind, dice),
        condition=_condition(kind, dice),
        colour=dice.pick(words.COLOURS),
        noise=dice.normal(NOISE),
    )


def _brand(category: Category, dice: Dice) -> tuple[str, float]:
    if dice.chance(0.7):
        return dice.pick(BRANDS[category.name])
    return dice.pick(words.NAME_BEGINNINGS) + dice.pick(words.NAME_ENDINGS), SMALL_SELLER


def _extras(kind: Kind, dice: Dice) -> tuple[str, ...]:
    """Up to three extras, neighbours in the kind's table."""
    names = tuple(kind.extras)
    count = min(len(names), dice.weighted((0, 1, 2, 3), EXTRA_COUNT_WEIGHTS))
    first = dice.whole(0, len(names) - 1)
    return (names + names)[first : first + count]


def _condition(kind: Kind, dice: Dice) -> str:
    if kind.price < SECOND_HAND_FROM:
        return "new"
    return dice.weighted(tuple(CONDITIONS), (0.84, 0.93, 1.0))


# The price


def log_price(product: Product) -> float:
    """The logarithm of what a product is worth in dollars: the law that this module's docstring states."""
    kind, category = product.kind, product.category
    grade = category.grades.get(product.grade, 0.0)
    size = kind.elasticity * math.log(product.size / kind.scale.typical) if product.size else 0.0
    together = PREMIUM_TOGETHER if product.premium >= PREMIUM_BRAND and grade >= HIGH_GRADE else 0.0
    return (
        math.log(kind.price)
        + kind.brand * product.premium
        + MATERIALS[product.material]
        + grade
        + sum(kind.extras[extra] for extra in product.extras)
        + size
        + PACK_ELASTICITY * math.log(product.pack)
        + category.wear * CONDITIONS[product.condition]
        + together
        + product.noise
    )


def shop_price(amount: float, dice: Dice) -> float:
    """Turn an amount of dollars into a price that a shop would print.

    Some shops are drawn to a round slot nearby (49, 99, ... 999), others to the last dollar before a five or a ten;
    most end in .99 or .95, and some leave the cents as they fall.
    """
    if dice.chance(0.25):
        anchor = min(ANCHORS, key=lambda dollars: abs(dollars - amount))
        if abs(anchor - amount) < 0.12 * anchor:
            return anchor - dice.pick((0.0, 0.0, 0.0, 0.01, 0.05))
    dollars = int(amount)
    if amount > 20 and dice.chance(0.4):
        step = 5 if amount < 100 else 10
        dollars = max(1, round(amount / step)) * step - 1
    ending = dice.pick((0.99, 0.99, 0.99, 0.99, 0.99, 0.95, 0.95, 0.0, 0.49, None, None, None))
    if ending is None:
        ending = int(dice.uniform() * 100) / 100
    return max(0.79, round(dollars + ending, 2))
