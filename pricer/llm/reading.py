"""The price in a model's reply, where it says one price and no more; what is ambiguous is no answer.

    read_price("The 12-inch skillet costs **$40**").price        # 40.0
    read_price("$12 to $15").why                                  # "two prices: $12.00 and $15.00"

Taking the first number, as is usual, reads $12 from "$12 to $15", $3 from "3 for $10" and $12 from a 12-inch skillet.
"""

import json
import re

from pricer.llm.amounts import find_amounts
from pricer.llm.plain_text import plain
from pricer.llm.prose import Read, in_dollars, is_like_a_price, none, read_prose

LOWEST, HIGHEST = 0.5, 1000.0  # dollars: what is outside is no answer
LONGEST = 20_000  # characters

_MIND = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|analysis|reflection|scratchpad)"
_THOUGHT = re.compile(rf"(?:</{_MIND}>|\[/{_MIND}\]|◁/{_MIND}▷|<\|channel\|>final<\|message\|>)", re.IGNORECASE)
_THINKING = re.compile(
    rf"\s*(?:<{_MIND}>|\[{_MIND}\]|◁{_MIND}▷|(?:<\|start\|>assistant)?<\|channel\|>{_MIND})", re.IGNORECASE
)
_WEB_PAGE = re.compile(r"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]", re.IGNORECASE)
_CLOSING = r"(?:[\"'”’»)\]}>*_`$\\]|</[a-z]{1,10}>)"
_ENDED = re.compile(  # cents, a closing sign, the end of the price's line, sentence or field, or words enough behind it
    rf"(?<=\.[0-9]{{2}})\.?\s*\Z|{_CLOSING}+[.!]?\s*\Z|{_CLOSING}*(?:[.!?]?{_CLOSING}*\s*\n|[.!?]{_CLOSING}*\s+\S|,\s*\")"
    r"|(?!\s*(?:to|or|and|through|plus|minus)\b)(?:[\s,(]{1,3}[A-Za-z']+){3}"
)
_KEYS = ("price", "cost", "estimate", "answer", "guess", "value", "amount", "usd", "dollars")
_WITH_KEYS = {  # what may stand with one of those in a name; any other word makes it something else than the price
    *("estimated", "predicted", "suggested", "approximate", "likely", "reasonable", "fair", "average", "best", "final"),
    *("product", "item", "retail", "market", "selling", "current", "total", "my", "the", "in", "us", "numeric"),
}
_IN_DOLLARS = ("USD", "$", "US$", "DOLLAR", "DOLLARS", "US DOLLARS")
_WORDS_IN_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W_a-zA-Z]+")


def read_price(text: str, low: float = LOWEST, high: float = HIGHEST, is_cut: bool = False) -> Read:
    """Read the one price, in dollars, that a reply says; it never raises, whatever the text.

    A price outside `low` to `high` is no answer, nor is one in another currency, a range, a choice or a bound, nor one
    behind which a reply was cut off (`is_cut`) before it was said that the price ends there: "$12 to".
    """
    if not text.strip():
        return none("it is empty")
    if _WEB_PAGE.search(text):
        return none("it is a web page")
    answer = _without_thoughts(text)
    if not answer.strip():
        return none("it ended while the model was thinking")
    if len(answer.strip()) > LONGEST:
        return none(f"{len(answer.strip()):,} characters, more than anybody reads")
    read = _read_answer(answer)
    if read.price is not None and is_cut and read.span and not _ENDED.match(text, read.span[1]):
        return Read(None, "unparsable", "it was cut off where the price may go on", read.span)
    if read.price is not None and not low <= read.price <= high:
        return Read(None, "unparsable", f"{in_dollars(read.price)} is outside ${low:,.2f} to ${high:,.2f}", read.span)
    return read


def _read_answer(text: str) -> Read:
    read = _read_json(text)
    return read_prose(plain(text)) if read is None else read


def _without_thoughts(text: str) -> str:
    """The text with what a model thought before it answered left blank."""
    ends = [match.end() for match in _THOUGHT.finditer(text)]
    if ends:
        return " " * ends[-1] + text[ends[-1] :]
    return "" if _THINKING.match(text) else text


# In JSON


class _Twice(ValueError):
    """A name stands twice in one object."""


def _pairs(pairs: list[tuple[str, object]]) -> dict:
    if len(dict(pairs)) < len(pairs):
        raise _Twice
    return dict(pairs)


def _read_json(text: str) -> Read | None:
    """What the one object of a reply says; None where there is none."""
    start, end = text.find("{"), text.rfind("}") + 1
    if start < 0 or end <= start:
        return None
    try:
        said = json.loads(text[start:end], object_pairs_hook=_pairs, parse_int=float)
    except _Twice:
        return none("a name stands twice in its JSON")
    except (ValueError, RecursionError):
        return None
    read = _of_object(said, text, start)
    around = plain(f"{text[:start]} {text[end:]}")
    others = {
        amount.value
        for amount in find_amounts(around)
        if amount.kind == "dollars" or (amount.kind == "bare" and is_like_a_price(around, amount))
    }
    if others - {read.price}:
        return none("its JSON says one thing, its words another")
    return read


def _of_object(said: dict, text: str, start: int) -> Read:
    for name in ("currency", "unit"):
        told = said.get(name)
        if isinstance(told, str) and told.strip().upper() not in _IN_DOLLARS:
            return none(f"its {name} is {told[:20]!r}, not dollars")
    for word in _KEYS:
        names = [name for name in said if _names_price(name, word)]
        exact = [name for name in names if name.lower() == word]
        names = exact or names
        if len(names) > 1:
            return none(f"several prices in its JSON: {', '.join(names)[:60]}")
        if names:
            return _of_value(said[names[0]], names[0], text, start)
    return none("its JSON names no price")


def _names_price(name: str, word: str) -> bool:
    """Whether a name in JSON means the price: "estimated_price_usd" does, "shipping_price" and "priceEUR" do not."""
    words = {each.lower() for each in _WORDS_IN_NAME.findall(name)}
    return word in words and words <= _WITH_KEYS | set(_KEYS)


def _of_value(value: object, name: str, text: str, start: int) -> Read:
    place = text.find(json.dumps(name, ensure_ascii=False), start)
    place = max(place, start) + len(name) + 2
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return none(
            f"{name} is {'null' if value is None else 'a list' if isinstance(value, list) else 'true or false'}"
        )
    if isinstance(value, dict):
        return _of_object(value, text, place)
    if isinstance(value, str):
        read = read_prose(plain(value))
        if read.price is None or read.span is None:
            return read
        at = text.find(value, place)
        span = None if at < 0 else (at + read.span[0], at + read.span[1])
        return Read(read.price, "answer", f"{name} in its JSON", span)
    match = re.compile(r"-?[0-9][0-9.eE+-]*").search(text, place)
    if value < 0:
        return none(f"{name} is negative")
    return Read(float(value), "answer", f"{name} in its JSON", match.span() if match else None)
