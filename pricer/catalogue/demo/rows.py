"""Rows of the demo in the raw_meta form: listings, repeated and dirty as in real files.

Row i depends on the seed and on i alone, so a longer file begins with the shorter one, parts can be made anywhere, and
nothing is held in memory.
"""

import gzip
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import orjson

from pricer.catalogue.demo import words
from pricer.catalogue.demo.listings import write_listing
from pricer.catalogue.demo.products import Dice, Option, Product, draw_product, log_price, shop_price
from pricer.errors import PricerError
from pricer.files import force_to_disk, staged_beside
from pricer.progress import Report, Step, silent

REPEAT_WINDOW = 5_000  # a repeated listing repeats one of the last so many
ASINS = 36**6
REPORT_EVERY = 2_000

NEW, AGAIN, ELSEWHERE, VARIANT = range(4)
RELATION_WEIGHTS = (0.94, 0.95, 0.97, 1.0)


def demo_rows(count: int, seed: int) -> Iterator[dict[str, object]]:
    """Generate `count` raw_meta rows, each with `"generated": true`, one at a time.

    The same seed gives the same rows on any machine, and row i does not depend on `count`.

    Raises PricerError if `count` is not a positive whole number.
    """
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= ASINS:
        raise PricerError(f"the number of rows must be a whole number from 1 to {ASINS:,}, got {count!r}")
    return (demo_row(index, seed) for index in range(count))


def write_demo(path: Path, count: int, seed: int, report: Report = silent) -> None:
    """Write `count` generated rows as JSON lines, gzipped if the name ends in .gz.

    The file appears whole or not at all. The lines are the same on any machine; the gzipped bytes are too, where zlib
    is the same.

    Raises PricerError if `count` is no positive whole number or the file cannot be written.
    """
    path = Path(path)
    rows = demo_rows(count, seed)
    try:
        with _whole_file(path) as file:
            for number, row in enumerate(rows, start=1):
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                if number % REPORT_EVERY == 0 or number == count:
                    report(Step("Writing rows", number, "rows", number / count))
    except OSError as error:
        raise PricerError(f"could not write {path}: {error.strerror or error}") from error


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its name only when it is complete and on disk; gzipped if the name says so."""
    with staged_beside(path.parent) as staged:
        beside = staged / path.name
        with beside.open("wb") as raw:
            if path.name.endswith(".gz"):
                # Neither name nor time in the header, so the same rows give the same bytes.
                with gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=raw, mtime=0) as packed:
                    yield packed
            else:
                yield raw
        force_to_disk(beside)
        beside.replace(path)
        force_to_disk(path.parent)


# One row


def demo_row(index: int, seed: int) -> dict[str, object]:
    """Row number `index` of the demo with this seed, free of any other row.

    Most rows show a product of their own. The others repeat an earlier listing: under the same id or another one, a few
    at another price, or with another colour or size.
    """
    dice = Dice(f"{seed}:{index}:row")
    relation, earlier = _relation(index, dice)
    source = index if relation == NEW else _original(earlier, seed)
    product_dice = Dice(f"{seed}:{source}")
    product = draw_product(product_dice)
    price = shop_price(math.exp(log_price(product)), product_dice)
    if relation == VARIANT:
        product = _variant(product, dice)
    if relation == VARIANT or (relation != NEW and dice.chance(0.4)):
        price = shop_price(math.exp(log_price(product) + dice.normal(0.08)), dice)
    return {
        "parent_asin": parent_asin(source if relation == AGAIN else index, seed),
        "price": price_as_written(price, dice),
        **write_listing(product, product_dice),
        "generated": True,
    }


def _relation(index: int, dice: Dice) -> tuple[int, int]:
    """How a row relates to an earlier one, and to which."""
    relation = dice.weighted((NEW, AGAIN, ELSEWHERE, VARIANT), RELATION_WEIGHTS)
    if index == 0 or relation == NEW:
        return NEW, index
    return relation, index - dice.whole(1, min(index, REPEAT_WINDOW))


def _original(index: int, seed: int) -> int:
    """The row that first showed what row `index` shows."""
    while True:
        relation, earlier = _relation(index, Dice(f"{seed}:{index}:row"))
        if relation == NEW:
            return index
        index = earlier


def _variant(product: Product, dice: Dice) -> Product:
    """The same product with one word changed: its size or its colour."""
    if product.size and dice.chance(0.3):
        return replace(product, size=_another(product.size, product.kind.scale.values, dice))
    return replace(product, colour=_another(product.colour, words.COLOURS, dice))


def _another(present: Option, options: Sequence[Option], dice: Dice) -> Option:
    step = dice.whole(1, len(options) - 1)
    return options[(options.index(present) + step) % len(options)]


def parent_asin(index: int, seed: int) -> str:
    """An id no other index has below 36^6, about two billion; one in thirty-one is missing, as in real files."""
    # The multiplier shares no factor with 36, so no two indexes meet.
    number = (index * 1_234_567_891 + seed * 987_654_321) % ASINS
    if number % 31 == 0:
        return ""
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + digits
    return "DEMO" + digits


def price_as_written(price: float, dice: Dice) -> float | str | None:
    """The price as the file has it: a number, text, wrong, or missing in 44 rows of a hundred."""
    fate = dice.uniform()
    if fate < 0.44:
        return dice.pick((None, None, None, "None", ""))
    if fate < 0.455:
        return dice.pick((f"from {price:.2f}", f"${price:.2f} - ${price * 1.4:.2f}", "Currently unavailable"))
    if fate < 0.458:
        return dice.pick((0, 0.0, -1.0, "0.00", -price))
    if dice.chance(1 / 200):
        price = round(price * dice.pick((10, 0.1, 100)), 2)
    return f"{price:,.2f}" if dice.chance(0.15) else price
