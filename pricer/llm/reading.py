"""The price in a model's reply, where it says one price and no more; what is ambiguous is no answer.

    read_price("The 12-inch skillet costs **$40**").price        # 40.0
    read_price("$12 to $15").why                                  # "two prices: $12.00 and $15.00"

Taking the first number, as is usual, reads $12 from "$12 to $15", $3 from "3 for $10" and $12 from a 12-inch skillet.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Literal

from pricer.llm.amounts import Amount, find_amounts, plain

LOWEST, HIGHEST = 0.5, 1000.0  # dollars: what is outside is no answer
LONGEST = 20_000  # characters
Status = Literal["answer", "refusal", "unparsable"]

_WINDOW = 60
_MIND = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|analysis|reflection|scratchpad)"
_THOUGHT = re.compile(rf"(?:</{_MIND}>|\[/{_MIND}\]|◁/{_MIND}▷|<\|channel\|>final<\|message\|>)", re.IGNORECASE)
_THINKING = re.compile(
    rf"\s*(?:<{_MIND}>|\[{_MIND}\]|◁{_MIND}▷|(?:<\|start\|>assistant)?<\|channel\|>{_MIND})", re.IGNORECASE
)
_FOREIGN = re.compile(
    r"\b(?:EUR|GBP|CAD|AUD|JPY|INR|CNY|RMB|CHF|MXN|NZD|SGD|HKD|BRL|SEK|NOK|DKK|PLN|"
    r"(?i:euros?|pounds sterling|yen|rupees|yuan|pesos))\b"
)
_WEB_PAGE = re.compile(r"<!doctype html|<html[\s>]|<head[\s>]|<body[\s>]", re.IGNORECASE)
_REFUSAL = re.compile(
    r"\b(?:I(?:'m| am) (?:sorry|afraid|unable|not able)|sorry,|as an AI|unable to|not able to|"
    r"I (?:can ?not|can't|could not|couldn't|won't|will not|do not have|don't have|do not know|don't know)|"
    r"can(?:not|'t) (?:be determined|determine|estimate|provide|assist|help|say|tell|give)|"
    r"(?:not enough|insufficient) (?:information|detail|context|data)|"
    r"no (?:price|information) (?:is )?(?:available|given|provided)|"
    r"(?:price|cost) (?:is )?(?:unknown|unavailable)|unknown|n/a|not (?:available|given|stated|specified|provided)|"
    r"impossible to (?:say|tell|determine|estimate))(?!\w)",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"\b(?:final (?:answer|price|estimate|guess)|(?:my |best ){1,3}(?:answer|estimate|guess)|answer|boxed"
    r"|estimated (?:retail )?price)\s{0,2}(?:is\b|would be\b|of\b|[:={])",
    re.IGNORECASE,
)
_ABOUT = r"about|around|approximately|approx\.?|roughly|maybe|perhaps|probably|some|circa|just|only"
_NEAR = re.compile(
    rf"(?:[~≈\s]|{_ABOUT})*(?P<link>[-–—~/x×@±+&,;(]|\+/-|(?:to|or|and|for|at|through|plus|minus|by|now|but|vs\.?)(?!\w))?(?:[~≈\s]|{_ABOUT})*",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\b(?:two|three|four|five|six|eight|ten|dozen|pair|couple|several|both)(?: [a-z]{1,12})? (?:for|at)\s{0,2}\Z|"
    r"(?<![\w-])[0-9]{1,4}(?: [a-z]{1,12})? for\s{0,2}\Z|\bbuy [\w ,]{1,12} get\b",
    re.IGNORECASE,
)
_SEVERAL_AFTER = re.compile(
    r"\s{0,2}for (?:(?:an?\s)?(?:two|three|four|five|six|eight|ten|dozen|pair|couple|both)\b|"
    r"(?:the|all|these) [0-9]{1,3} [a-z])",
    re.IGNORECASE,
)
_TIMES = re.compile(r"\s*(?:[a-z]{1,8}\s)?[/@x×]\s*")
_DISCOUNT = re.compile(r"[0-9]\s?%\s{1,2}(?:off|discount|less|cheaper|reduction)", re.IGNORECASE)
_LABEL = re.compile(
    r"\b(?:price[ds]?|costs?|worth|valued?|estimated?|guess|sells?|retails?|pay|msrp|answer|usd|boxed)\b"
    rf"(?:[^.!?\n0-9]{{0,40}}?(?:\b(?:is|be|at|for|of|costs?|price|worth|estimate|guess|pay|say|usd|{_ABOUT})|[:=~≈{{]))?"
    r"[\s\"'({$-]{0,4}\Z",
    re.IGNORECASE,
)
_LONE = re.compile(
    r"\W*(?:(?:the|my|price|cost|value|estimated|estimate|retail|final|best|answer|guess|is|it|would|be|costs|usd|i|say|either|between|"
    rf"{_ABOUT})\b\W*)*@\W*(?:(?:or so|approximately|roughly|total|new|retail|each)\W*)?",
    re.IGNORECASE,
)
_TENS_BEFORE = re.compile(
    r"\b(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|teen)\s(?:to|or|and)\s\Z", re.IGNORECASE
)
_CLOSING = r"(?:[\"'”’»)\]}>*_`$\\]|</[a-z]{1,10}>)"
_ENDED = re.compile(  # cents, a closing sign, the end of the price's line, sentence or field, or words enough behind it
    rf"(?<=\.[0-9]{{2}})\.?\s*\Z|{_CLOSING}+[.!]?\s*\Z|{_CLOSING}*(?:[.!?]?{_CLOSING}*\s*\n|[.!?]{_CLOSING}*\s+\S|,\s*\")"
    r"|(?!\s*(?:to|or|and|through|plus|minus)\b)(?:[\s,(]{1,3}[A-Za-z']+){3}"
)
_MONEY = re.compile(r"[0-9,]{1,12}\.[0-9]{2}")
_KEYS = ("price", "cost", "estimate", "answer", "guess", "value", "amount", "usd", "dollars")
_WITH_KEYS = {  # what may stand with one of those in a name; any other word makes it something else than the price
    *("estimated", "predicted", "suggested", "approximate", "likely", "reasonable", "fair", "average", "best", "final"),
    *("product", "item", "retail", "market", "selling", "current", "total", "my", "the", "in", "us", "numeric"),
}
_IN_DOLLARS = ("USD", "$", "US$", "DOLLAR", "DOLLARS", "US DOLLARS")
_WORDS_IN_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W_a-zA-Z]+")


@dataclass(frozen=True)
class Read:
    """What was read of a reply: a price where the status is answer, and why; the span is where it stands."""

    price: float | None
    status: Status
    why: str
    span: tuple[int, int] | None = None


def read_price(text: str, low: float = LOWEST, high: float = HIGHEST, is_cut: bool = False) -> Read:
    """Read the one price, in dollars, that a reply says; it never raises, whatever the text.

    A price outside `low` to `high` is no answer, nor is one in another currency, a range, a choice or a bound, nor one
    behind which a reply was cut off (`is_cut`) before it was said that the price ends there: "$12 to".
    """
    if not text.strip():
        return _none("it is empty")
    if _WEB_PAGE.search(text):
        return _none("it is a web page")
    answer = _without_thoughts(text)
    if not answer.strip():
        return _none("it ended while the model was thinking")
    if len(answer.strip()) > LONGEST:
        return _none(f"{len(answer.strip()):,} characters, more than anybody reads")
    read = _read_answer(answer)
    if read.price is not None and is_cut and read.span and not _ENDED.match(text, read.span[1]):
        return Read(None, "unparsable", "it was cut off where the price may go on", read.span)
    if read.price is not None and not low <= read.price <= high:
        return Read(None, "unparsable", f"{_dollars(read.price)} is outside ${low:,.2f} to ${high:,.2f}", read.span)
    return read


def _read_answer(text: str) -> Read:
    read = _read_json(text)
    if read is None:
        seen = plain(text)
        read = _read(seen, find_amounts(seen))
    return read


def _none(why: str) -> Read:
    return Read(None, "unparsable", why)


def _dollars(value: float) -> str:
    return f"${value:,.2f}" if value < 1e12 else f"${value:.3g}"


def _without_thoughts(text: str) -> str:
    """The text with what a model thought before it answered left blank."""
    ends = [match.end() for match in _THOUGHT.finditer(text)]
    if ends:
        return " " * ends[-1] + text[ends[-1] :]
    return "" if _THINKING.match(text) else text


# In prose


def _read(text: str, amounts: list[Amount]) -> Read:
    """What the amounts of a plain text say together."""
    priced = [amount for amount in amounts if amount.kind == "dollars"]
    read = _agreed(text, amounts, priced) if priced else _unmarked(text, amounts)
    if read.price is None and len(priced) != 1:
        return _final(text, amounts) or read
    return read


def _agreed(text: str, amounts: list[Amount], priced: list[Amount]) -> Read:
    """The price that all of these say, if nothing near them makes it a range, a choice or a part."""
    flawed = next((amount for amount in priced if amount.flaw), None)
    rivals = [amount for amount in amounts if amount.kind == "bare" and _is_like_a_price(text, amount)]
    values = sorted({amount.value for amount in [*priced, *rivals] if amount.value is not None})
    if len(values) > 1:
        least, most = _dollars(values[0]), _dollars(values[-1])
        return _none(
            f"two prices: {least} and {most}" if len(values) == 2 else f"{len(values)} prices from {least} to {most}"
        )
    if flawed:
        return _none(f"{text[flawed.start : flawed.end].strip()[:40]!r} {flawed.flaw}")
    for place, amount in enumerate(amounts):
        if amount.kind == "dollars" and (why := _beside(text, amounts, place)):
            return _none(why)
    if _DISCOUNT.search(text):
        return _none("a price and a discount: it may be the price before or after")
    first = priced[0]
    how = "the only price" if len(priced) == 1 else f"the only price, said {len(priced)} times"
    return Read(first.value, "answer", how, (first.start, first.end))


def _beside(text: str, amounts: list[Amount], place: int) -> str:
    """Why a price with another number beside it is none, if that is so: $12-15, 3 for $10, 2 x $5."""
    amount = amounts[place]
    for other in amounts[max(0, place - 1) : place] + amounts[place + 1 : place + 2]:
        first, second = sorted((amount, other), key=lambda each: each.start)
        between = text[first.end : second.start]
        if other.kind == "foreign" or other.value == amount.value or len(between) > _WINDOW:
            continue
        if other.kind == "other" and not _TIMES.fullmatch(between):
            continue
        if _TIMES.fullmatch(between):
            return "a price for several, or for a part"
        near = _NEAR.fullmatch(between)
        if near and (near["link"] or "\n" not in between):
            return f"two numbers that belong together: {text[first.start : second.end][:60]!r}"
    before, after = text[max(0, amount.start - _WINDOW) : amount.start], text[amount.end : amount.end + _WINDOW]
    if _SEVERAL.search(before) or _SEVERAL_AFTER.match(after):
        return "a price for several"
    if _TENS_BEFORE.search(before):
        return "a range in words"
    return ""


def _unmarked(text: str, amounts: list[Amount]) -> Read:
    """A number without a currency counts where it stands alone in its line, or words say that it is the price."""
    refused = _REFUSAL.search(text)
    if any(amount.kind == "foreign" for amount in amounts) or _FOREIGN.search(text):
        return _none("a price in another currency than dollars")
    bare = [amount for amount in amounts if amount.kind == "bare"]
    meant = [
        amount for amount in bare if _is_first(text, amount) or _is_alone(text, amount) or _is_labelled(text, amount)
    ]
    if refused and not any(_is_alone(text, amount) for amount in meant):
        return Read(None, "refusal", f"it says {text[refused.start() : refused.end()].strip()!r}")
    if not meant:
        return _none("no number that is said to be the price" if amounts else "it names no price")
    values = {amount.value for amount in bare}
    if len(values) > 1:
        return _none(f"several numbers, as {text[bare[0].start : bare[-1].end][:60]!r}")
    first = meant[0]
    if first.flaw:
        return _none(f"{text[first.start : first.end]!r} {first.flaw}")
    if why := _beside(text, amounts, amounts.index(first)):
        return _none(why)
    if _DISCOUNT.search(text):
        return _none("a price and a discount: it may be the price before or after")
    return Read(first.value, "answer", "the only number that can be the price", (first.start, first.end))


def _is_like_a_price(text: str, amount: Amount) -> bool:
    is_money = _MONEY.fullmatch(text[amount.start : amount.end]) is not None
    return is_money or _is_alone(text, amount) or _is_labelled(text, amount)


def _is_first(text: str, amount: Amount) -> bool:
    """Whether a reply begins with it, in dollars and cents: it goes on from "Price is $", and more may follow."""
    start = text[: amount.start] if amount.start < _WINDOW else "x"
    return not start.strip(" \n\"'(") and _MONEY.fullmatch(text[amount.start : amount.end]) is not None


def _is_alone(text: str, amount: Amount) -> bool:
    """Whether nothing else of weight stands in its line."""
    before = text[max(0, amount.start - _WINDOW) : amount.start].rpartition("\n")
    after = text[amount.end : amount.end + _WINDOW].partition("\n")
    if _WINDOW in (len(before[2]), len(after[0])) or "@" in before[2] + after[0]:
        return False
    return _LONE.fullmatch(f"{before[2]}@{after[0]}") is not None


def _is_labelled(text: str, amount: Amount) -> bool:
    return _LABEL.search(text[max(0, amount.start - _WINDOW) : amount.start]) is not None


def _final(text: str, amounts: list[Amount]) -> Read | None:
    """What stands behind the one place where the reply says that its answer follows."""
    labels = list(_FINAL.finditer(text))
    rest = [amount for amount in amounts if len(labels) == 1 and amount.start >= labels[0].end()]
    if not rest:
        return None
    if _is_within_a_range(text, labels[0].end(), amounts, len(amounts) - len(rest)):
        return Read(rest[0].value, "answer", "what it calls its estimate", (rest[0].start, rest[0].end))
    if len(rest) == len(amounts):
        return None
    start = labels[0].start()
    moved = [replace(amount, start=amount.start - start, end=amount.end - start) for amount in rest]
    priced = [amount for amount in moved if amount.kind == "dollars"]
    read = _agreed(text[start:], moved, priced) if priced else _unmarked(text[start:], moved)
    if read.price is None:
        return None
    return Read(read.price, "answer", "what it calls its answer", (read.span[0] + start, read.span[1] + start))


def _is_within_a_range(text: str, label_end: int, amounts: list[Amount], place: int) -> bool:
    """Whether this price is right behind its label, and the others lie on both sides: "Estimate: $50 ($40 to $60)"."""
    amount = amounts[place]
    others = [each.value for each in amounts if each.kind == "dollars" and each.value is not None]
    is_next = re.fullmatch(rf"(?:[^A-Za-z0-9]|(?:{_ABOUT})(?![a-z])){{0,40}}", text[label_end : amount.start], re.I)
    if not is_next or amount.kind != "dollars" or amount.value is None or amount.flaw or _DISCOUNT.search(text):
        return False
    return min(others) < amount.value < max(others) and not _beside(text, amounts, place)


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
        return _none("a name stands twice in its JSON")
    except (ValueError, RecursionError):
        return None
    read = _of_object(said, text, start)
    around = plain(f"{text[:start]} {text[end:]}")
    others = {
        amount.value
        for amount in find_amounts(around)
        if amount.kind == "dollars" or (amount.kind == "bare" and _is_like_a_price(around, amount))
    }
    if others - {read.price}:
        return _none("its JSON says one thing, its words another")
    return read


def _of_object(said: dict, text: str, start: int) -> Read:
    for name in ("currency", "unit"):
        told = said.get(name)
        if isinstance(told, str) and told.strip().upper() not in _IN_DOLLARS:
            return _none(f"its {name} is {told[:20]!r}, not dollars")
    for word in _KEYS:
        names = [name for name in said if _names_price(name, word)]
        exact = [name for name in names if name.lower() == word]
        names = exact or names
        if len(names) > 1:
            return _none(f"several prices in its JSON: {', '.join(names)[:60]}")
        if names:
            return _of_value(said[names[0]], names[0], text, start)
    return _none("its JSON names no price")


def _names_price(name: str, word: str) -> bool:
    """Whether a name in JSON means the price: "estimated_price_usd" does, "shipping_price" and "priceEUR" do not."""
    words = {each.lower() for each in _WORDS_IN_NAME.findall(name)}
    return word in words and words <= _WITH_KEYS | set(_KEYS)


def _of_value(value: object, name: str, text: str, start: int) -> Read:
    place = text.find(json.dumps(name, ensure_ascii=False), start)
    place = max(place, start) + len(name) + 2
    if isinstance(value, bool) or value is None or isinstance(value, list):
        return _none(
            f"{name} is {'null' if value is None else 'a list' if isinstance(value, list) else 'true or false'}"
        )
    if isinstance(value, dict):
        return _of_object(value, text, place)
    if isinstance(value, str):
        seen = plain(value)
        read = _read(seen, find_amounts(seen))
        if read.price is None or read.span is None:
            return read
        at = text.find(value, place)
        span = None if at < 0 else (at + read.span[0], at + read.span[1])
        return Read(read.price, "answer", f"{name} in its JSON", span)
    match = re.compile(r"-?[0-9][0-9.eE+-]*").search(text, place)
    if value < 0:
        return _none(f"{name} is negative")
    return Read(float(value), "answer", f"{name} in its JSON", match.span() if match else None)
