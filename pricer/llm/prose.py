"""The one price that prose says, or why it says none: a range, a choice, a part, another currency, a refusal."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from pricer.llm.amounts import CODES, Amount, find_amounts

Status = Literal["answer", "refusal", "unparsable"]

_WINDOW = 60
_FOREIGN = re.compile(rf"\b(?:{CODES}|(?i:euros?|pounds sterling|yen|rupees|yuan|pesos))\b")
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
_MONEY = re.compile(r"[0-9,]{1,12}\.[0-9]{2}")


@dataclass(frozen=True)
class Read:
    """What was read of a reply: a price where the status is answer, and why; the span is where it stands."""

    price: float | None
    status: Status
    why: str
    span: tuple[int, int] | None = None


def none(why: str) -> Read:
    """No price, and why."""
    return Read(None, "unparsable", why)


def in_dollars(value: float) -> str:
    return f"${value:,.2f}" if value < 1e12 else f"${value:.3g}"


def read_prose(text: str) -> Read:
    """What the amounts of a plain text (`pricer.llm.plain_text`) say together."""
    amounts = find_amounts(text)
    priced = [amount for amount in amounts if amount.kind == "dollars"]
    read = _agreed(text, amounts, priced) if priced else _unmarked(text, amounts)
    if read.price is None and len(priced) != 1:
        return _final(text, amounts) or read
    return read


def _agreed(text: str, amounts: list[Amount], priced: list[Amount]) -> Read:
    """The price that all of these say, if nothing near them makes it a range, a choice or a part."""
    flawed = next((amount for amount in priced if amount.flaw), None)
    rivals = [amount for amount in amounts if amount.kind == "bare" and is_like_a_price(text, amount)]
    values = sorted({amount.value for amount in [*priced, *rivals] if amount.value is not None})
    if len(values) > 1:
        least, most = in_dollars(values[0]), in_dollars(values[-1])
        return none(
            f"two prices: {least} and {most}" if len(values) == 2 else f"{len(values)} prices from {least} to {most}"
        )
    if flawed:
        return none(f"{text[flawed.start : flawed.end].strip()[:40]!r} {flawed.flaw}")
    for place, amount in enumerate(amounts):
        if amount.kind == "dollars" and (why := _beside(text, amounts, place)):
            return none(why)
    if _DISCOUNT.search(text):
        return none("a price and a discount: it may be the price before or after")
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
        return none("a price in another currency than dollars")
    bare = [amount for amount in amounts if amount.kind == "bare"]
    meant = [
        amount for amount in bare if _is_first(text, amount) or _is_alone(text, amount) or _is_labelled(text, amount)
    ]
    if refused and not any(_is_alone(text, amount) for amount in meant):
        return Read(None, "refusal", f"it says {text[refused.start() : refused.end()].strip()!r}")
    if not meant:
        return none("no number that is said to be the price" if amounts else "it names no price")
    values = {amount.value for amount in bare}
    if len(values) > 1:
        return none(f"several numbers, as {text[bare[0].start : bare[-1].end][:60]!r}")
    first = meant[0]
    if first.flaw:
        return none(f"{text[first.start : first.end]!r} {first.flaw}")
    if why := _beside(text, amounts, amounts.index(first)):
        return none(why)
    if _DISCOUNT.search(text):
        return none("a price and a discount: it may be the price before or after")
    return Read(first.value, "answer", "the only number that can be the price", (first.start, first.end))


def is_like_a_price(text: str, amount: Amount) -> bool:
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
