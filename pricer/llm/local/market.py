"""What the tiny Llama is taught: listings of the demo's shop, at the prices of another market.

There the kinds of a category stand to each other as in the demo, but the names on them do not: brands have swapped
their premiums, everything costs less, and some categories far less than others. So a model that is tuned on the demo
afterwards knows much already, and has something to learn.
"""

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pricer.catalogue.demo.kinds import CATEGORIES
from pricer.catalogue.demo.listings import write_listing
from pricer.catalogue.demo.products import SMALL_SELLER, Dice, draw_product, log_price, shop_price
from pricer.catalogue.scrub import RULES, make_texts, read_product
from pricer.catalogue.tokens import llama3

_RULES = RULES["notebook-1"]
_LEVEL = math.log(0.4)  # of the whole market, from the demo's: so a model that is tuned there has something to learn
_FURTHEST = 0.9  # that a category's level is from that, in logarithms


@dataclass(frozen=True)
class Listing:
    """A product's text, as the first notebook's rules make it, and its price in dollars."""

    text: str
    price: float

    @property
    def title(self) -> str:
        return self.text.partition("\n")[0]


def listings(seed: int) -> Iterator[Listing]:
    """Endless listings of the market of this seed, each with a price of at most $999; the same on any machine."""
    premiums, levels, tokenizer = _premiums(seed), _levels(seed), llama3()
    number = 0
    while True:
        dice = Dice(f"market {seed}:{number}")
        number += 1
        product = draw_product(dice)
        product = replace(product, premium=premiums.get(product.brand, SMALL_SELLER))
        price = shop_price(math.exp(log_price(product) + levels[product.category.name]), dice)
        if price <= _RULES.highest_price:
            row = json.loads(json.dumps(write_listing(product, dice)))
            yield Listing(make_texts(read_product(row, None), _RULES, tokenizer).text, price)


def _premiums(seed: int) -> dict[str, float]:
    """What each brand's name adds to the logarithm of a price: its category's premiums, dealt out anew."""
    dealt = {}
    for category in CATEGORIES:
        order = random.Random(f"market {seed}:{category.name}")
        premiums = sorted(category.brands.values(), key=lambda _: order.random())
        dealt |= dict(zip(category.brands, premiums, strict=True))
    return dealt


def _levels(seed: int) -> dict[str, float]:
    """What each category adds to the logarithm of a price, from cheapest to dearest evenly, dealt out by the seed."""
    order = random.Random(f"market {seed}")
    dealt = sorted(CATEGORIES, key=lambda _: order.random())
    return {each.name: _LEVEL + _FURTHEST * (2 * place / (len(dealt) - 1) - 1) for place, each in enumerate(dealt)}
