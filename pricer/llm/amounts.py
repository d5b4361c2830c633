"""Numbers in a text, each with what it is: a price in dollars, in another currency, a size, a part of a name.

Every pattern here looks at a bounded piece of the text, or takes each character once, so a text of any length is gone
through in linear time.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["dollars", "foreign", "bare", "other"]  # other: a size, a share, a part of a name
_WINDOW = 48  # characters around a number that tell what it is
_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORTH = {word: n for n, word in enumerate(_SMALL.split())} | {
    word: 10 * n for n, word in enumerate(_TENS.split(), start=2)
}
_SCALES = {"hundred": 100.0, "k": 1e3, "thousand": 1e3, "grand": 1e3, "million": 1e6, "billion": 1e9}


@dataclass(frozen=True)
class Amount:
    """A number in a text; `start` and `end` take in its currency."""

    start: int
    end: int
    value: float | None  # None where it can be read in two ways, as 1.299 can
    kind: Kind
    flaw: str = ""  # why it is no price although it is one in form
    is_cents: bool = False


# Of other currencies; their signs are all € in a plain text.
CODES = "EUR|GBP|CAD|AUD|JPY|INR|CNY|RMB|CHF|MXN|NZD|SGD|HKD|BRL|SEK|NOK|DKK|PLN"
_NUMBER = re.compile(
    r"(?<![0-9.,])[1-9][0-9]{0,2}(?: [0-9]{3})+[.,][0-9]{2}(?![0-9])"
    r"|(?:(?<![\w.,])\.)?[0-9]+(?:['\u00a0][0-9]{3}(?![0-9]))*(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]{1,6}(?![0-9A-Za-z]))?"
)
_DOLLAR_BEFORE = re.compile(
    r"(?:(?<![A-Za-z])(?:USD?|U\.S\.)\s?)?\$\s*(?P<minus>-?)\s*\Z|(?<![A-Za-z])USD:?\s*\Z", re.I
)
_FOREIGN_BEFORE = re.compile(
    rf"(?:€|(?<![A-Za-z])(?:{CODES}|Rs\.?|(?:CA|C|AU|A|NZ|HK|SG|S|R|MX|NT)\$))\s*-?\s*\Z", re.I
)
_SCALE = re.compile(r"k(?![0-9A-Za-z])|[\s-]{0,2}(?:hundred|thousand|grand|million|billion)(?![A-Za-z])", re.I)
_DOLLAR_AFTER = re.compile(
    r"\s{0,2}\$(?!\s?[0-9])|\s{0,2}\(\s?(?:USD|US\$|US dollars|dollars)\s?\)"
    r"|[\s-]{0,2}(?:USD|U\.?S\.?[\s-]dollars?|dollars?|bucks?)(?![A-Za-z])",
    re.I,
)
_CENTS_AFTER = re.compile(r"\s{0,2}(?:¢|cents?(?![A-Za-z]))", re.I)
_FOREIGN_AFTER = re.compile(
    rf"[\s(]{{0,3}}(?:€|(?:{CODES}|euros?|yen|rupees?|yuan|francs?|pesos?|kr|pounds? sterling|quid|"
    r"Canadian|Australian|(?:Singapore|Hong Kong|New Zealand) dollars?)"
    r"(?![A-Za-z]))",
    re.I,
)
_AFTER_BARE = re.compile(
    r"\s*\Z|\s{0,3}(?:[.,;:!?()\]}\"'|\n~–—/±+$0-9-]|(?:and|but|now|vs|or|to|in total|total|for|because|based|given|as|"
    r"which|since|retail|new|at|on|though|although|if|is my|would be|seems|sounds|plus|x|each|apiece|per|minus)"
    r"(?![A-Za-z]))",
    re.I,
)
_NAME_BEFORE = re.compile(
    r"(?:[A-Za-z_#.@&=?\\]|[A-Za-z]-|[0-9]['\":/]|(?:size|model|no\.?|number|type|version|part|series)\s{1,2})\Z", re.I
)
_UNIT_AFTER = re.compile(r"[-\s]{0,2}[%°\"\u2033'\u2032]|['\":/][0-9]|-[A-Za-z]")
_RATE_AFTER = re.compile(
    r"[\s,(]{0,3}(?:/\s?[A-Za-z]|(?:per(?!\s(?:my|the|your|our|this))|each|ea\.?|apiece|unit\s(?:price|cost)|monthly|weekly|yearly"
    r"|annually|for\sa\s(?:month|year|week|day)|an?\s(?:piece|month|year|week|day|hour|unit|pound|foot|yard|pair|dozen))"
    r"(?![A-Za-z])|(?:times|[x×])\s?[0-9a-z])",
    re.I,
)
_ABOUT = r"about|around|approximately|approx\.?|roughly|nearly|almost|some|just|only"
# A number behind these is no price, with a few words of no weight between them: over about $30, half the price of $30.
_BOUND_BEFORE = re.compile(
    r"(?:(?:less|more|lower|higher|greater|cheaper|fewer|other|rather|better)\sthan|under|over|above|below|at\s(?:least|most)"
    r"|up\sto|from|between|exceed(?:s|ing)?|(?:upwards?|north|south)\sof|beyond|within|off|sav(?:e|es|ing)|half|twice|double"
    r"|triple|times|[0-9]x|%\sof|[<>≤≥])"
    rf"(?:\s|(?:{_ABOUT}|of|the|an?|price|cost)\s){{0,6}}\Z",
    re.I,
)
# And behind these, said of it: not worth $30, shipping costs $30, maximum: $30.
_SAID_BEFORE = re.compile(
    r"(?:(?<![A-Za-z])(?:not|cannot|never|doubt|start(?:s|ing)?|(?:low|little|much|high)\sas|(?:lower|upper)\s(?:bound|limit)"
    r"|prices?\srange|each|unit\s(?:price|cost)|per\s[a-z]{1,20}|monthly|weekly|yearly|shipping|delivery|postage|tax(?:es)?"
    r"|deposit|rebate|coupon|discount|fee)|n't|(?:\A|[^\sA-Za-z0-9]|\n|\b(?:the|is|a|at|price|cost))\s{0,3}m(?:in|ax)(?:imum)?\.?)"
    rf"(?:[\s:(=~]|(?:{_ABOUT}|an?|the|it|is|are|be|was|would|will|of|at|for|to|prices?|priced|costs?|worth|valued?|usd)"
    r"(?![A-Za-z])){0,12}\Z",
    re.I,
)
_BOUND_AFTER = re.compile(
    r"\s{0,2}\+(?!/|\s?(?:tax|sales|shipping|vat))|[\s(]{0,3}(?:±|\+/-)"
    r"|[\s,]{0,2}(?:(?:or|and|&)\s(?:more|less|up|above|under|below|over|higher|lower|upwards?|so on)|upwards?|tops"
    r"|off|more|less|cheaper|higher|lower|discount|rebate|coupon|deposit|fee|shipping"
    r"|(?:at\s)?(?:min(?:imum)?|max(?:imum)?|least|most)|(?:below|above|under|over)\s(?:msrp|retail|list|market|the|its))(?![A-Za-z])",
    re.I,
)
_VAGUE_BEFORE = re.compile(r"(?:couple|few|several|some|many|tens|hundreds|thousands)\s(?:of\s)?\Z", re.I)
_MINUS = re.compile(r"(?:\A|[\s(:=~])-\Z|(?:minus|negative)\s{1,2}\Z", re.I)
_WORD = "|".join(sorted([*_WORTH, "hundred", "thousand"], key=len, reverse=True))
_WORDS = re.compile(rf"(?<![A-Za-z])(?:{_WORD})(?:[\s-]{{1,2}}(?:and\s)?(?:{_WORD}))*(?![A-Za-z])", re.I)
# In the $40s; cut off at a comma; cents after some other sign than a point, or in words.
_VAGUE_AFTER = re.compile(
    rf"[A-Za-z]|-(?:ish|odd|some)|,\Z|[·^][0-9]|[⁰¹²³⁴-⁹]|\.\s[0-9]{{2}}(?![0-9A-Za-z])|\s(?:{_WORD})(?![A-Za-z])", re.I
)


def find_amounts(text: str) -> list[Amount]:
    """All numbers of a plain text in the order in which they stand, in digits or in words."""
    found = [_amount(text, match) for match in _NUMBER.finditer(text)]
    taken = {place for amount in found for place in range(amount.start, min(amount.end, amount.start + _WINDOW))}
    words = (match for match in _WORDS.finditer(text) if match.start() not in taken)  # "2 hundred" is one number
    found += [amount for match in words if (amount := _in_words(text, match))]
    return _with_cents(text, sorted(found, key=lambda amount: amount.start))


def number(digits: str) -> float | None:
    """What digits with separators are worth; None where they can be read in two ways or are no number.

    >>> number("1,299.99"), number("1.299,99"), number("45,50"), number("1.299"), number("1,2")
    (1299.99, 1299.99, 45.5, None, None)
    """
    digits = re.sub("['\u00a0 ]", "", digits)
    mantissa, exponent, power = digits.lower().partition("e")
    if exponent:
        return None if "," in mantissa or mantissa.count(".") > 1 else float(f"{mantissa}e{power}")
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return float(digits) if digits == "0" or not digits.startswith("0") else None
    mark, whole, rest = digits[last], digits[:last], digits[last + 1 :]
    other = "," if mark == "." else "."
    if mark in whole:  # as in 1.299.000, and no other mark beside it
        return None if other in whole or not _is_grouped(digits, mark) else float(digits.replace(mark, ""))
    if other in whole:
        return float(f"{whole.replace(other, '')}.{rest}") if _is_grouped(whole, other) else None
    if len(whole) > 1 and whole.startswith("0"):
        return None
    if len(rest) == 3 and 1 <= len(whole) <= 3 and whole != "0":
        return float(whole + rest) if mark == "," else None
    if mark == "," and len(rest) != 2:
        return None
    return float(f"{whole or 0}.{rest}")


def _is_grouped(digits: str, mark: str) -> bool:
    first, *others = digits.split(mark)
    return 1 <= len(first) <= 3 and not first.startswith("0") and all(len(group) == 3 for group in others)


def _amount(text: str, match: re.Match) -> Amount:
    start, end = match.span()
    before, after = text[max(0, start - _WINDOW) : start], text[end : end + _WINDOW]
    value, scaled = number(match[0]), _SCALE.match(after)
    if scaled:
        value = value and value * _SCALES[scaled[0].strip(" \n\t-\u00a0").lower()]
        end, after = end + scaled.end(), after[scaled.end() :]
    foreign, dollar = _FOREIGN_BEFORE.search(before), _DOLLAR_BEFORE.search(before)
    behind = _FOREIGN_AFTER.match(after)
    if foreign or behind:
        return Amount(start - _length(foreign), end + _length(behind), value, "foreign")
    behind, cents = _DOLLAR_AFTER.match(after), _CENTS_AFTER.match(after)
    if not (dollar or behind or cents):
        return _bare(text, start, end, value, bool(scaled))
    begins = start - _length(dollar)
    kept, outside = text[max(0, begins - _WINDOW) : begins], after[_length(behind) :]
    if not dollar and _NAME_BEFORE.search(before):
        return Amount(start, end, None, "other")
    if cents and not dollar and not behind:
        value, end, outside = value and value / 100, end + cents.end(), after[cents.end() :]
    else:
        cents, end = None, end + _length(behind)
    is_negative = bool(dollar and dollar["minus"]) or bool(_MINUS.search(kept))
    return Amount(begins, end, value, "dollars", _flaw(kept, outside, is_negative, value), bool(cents))


def _length(match: re.Match | None) -> int:
    return len(match[0]) if match else 0


def _bare(text: str, start: int, end: int, value: float | None, scaled: bool) -> Amount:
    before, after = text[max(0, start - _WINDOW) : start], text[end : end + _WINDOW]
    listed = text[start:end].isdigit() and re.match(r"[.)]\s", after) and re.search(r"(?:\A|\n)\s{0,8}\Z", before)
    named = _NAME_BEFORE.search(before) and not re.search(r"\.{2}\Z|[=]\Z", before)
    quoted = before[-1:] in ("'", '"') and before[-1:] == after[:1]
    unit = not quoted and _UNIT_AFTER.match(after)
    if named or listed or unit or not _AFTER_BARE.match(after):
        return Amount(start, end, value, "other")
    if scaled and text[end - 1] in "kK":
        return Amount(start, end, value, "other")
    return Amount(start, end, value, "bare", _flaw(before, after, bool(_MINUS.search(before)), value))


def _flaw(before: str, after: str, is_negative: bool, value: float | None) -> str:
    if value is None:
        return "can be read in two ways"
    if is_negative:
        return "is negative"
    if _BOUND_BEFORE.search(before) or _SAID_BEFORE.search(before) or _BOUND_AFTER.match(after):
        return "is a bound or a difference, not a price"
    if _RATE_AFTER.match(after):
        return "is a price for a part"
    if _VAGUE_BEFORE.search(before) or _VAGUE_AFTER.match(after):
        return "is vague or cut off"
    return ""


# In words


def _in_words(text: str, match: re.Match) -> Amount | None:
    """A number in words where dollars follow, or nothing stands beside it; otherwise "one" may be anything."""
    start, end = match.span()
    before, after = text[max(0, start - _WINDOW) : start], text[end : end + _WINDOW]
    value, behind, cents = _worth(match[0]), _DOLLAR_AFTER.match(after), _CENTS_AFTER.match(after)
    if cents and value is not None:
        return Amount(start, end + cents.end(), value / 100, "dollars", is_cents=True)
    if behind:
        return Amount(start, end + behind.end(), value, "dollars", _flaw(before, after[behind.end() :], False, value))
    if not re.search(r"\w", text[:start]) and not re.search(r"\w", text[end:]):
        return Amount(start, end, value, "bare", _flaw(before, "", bool(_MINUS.search(before)), value))
    return None


def _worth(words: str) -> float | None:
    """What a number in English is worth; None where its words do not fit together.

    >>> _worth("two hundred and forty-five"), _worth("twenty thirty")
    (245.0, None)
    """
    total, part, last = 0.0, 0.0, 1e9
    for word in re.findall("[a-z]+", words.lower()):
        if word == "and":
            continue
        if word in ("hundred", "thousand"):
            scale = _SCALES[word]
            if scale == 100 and ((last >= 100 and part) or part > 19):
                return None
            part, last = (part or 1) * scale, scale
            if scale == 1000:
                total, part = total + part, 0.0
            continue
        worth = _WORTH[word]
        fits = (last >= 100) or (20 <= last < 100 and 1 <= worth <= 9)
        if not fits:
            return None
        part, last = part + worth, worth
    return total + part


def _with_cents(text: str, found: list[Amount]) -> list[Amount]:
    """ "45 dollars and 99 cents" as one amount."""
    joined: list[Amount] = []
    for amount in found:
        last = joined[-1] if joined else None
        if (
            last and amount.is_cents and last.kind == "dollars" and not last.is_cents
            and None not in (last.value, amount.value) and amount.value < 1
            and re.fullmatch(r",?\s{0,2}(?:and\s{1,2})?", text[last.end : amount.start][:_WINDOW])
        ):  # fmt: skip
            joined[-1] = replace(last, end=amount.end, value=round(last.value + amount.value, 2))
        else:
            joined.append(amount)
    return joined
