"""From a raw row to an item or the reason why it is none: rules, and the text that they make."""

import html
import json
import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import tiktoken
from pydantic import BaseModel, ConfigDict

from pricer.items import NO_CATEGORY, item_id

REASONS = {
    "corrupt": "Not a readable row",
    "wrong-type": "A field of the wrong type",
    "no-price": "No price",
    "price-not-a-number": "Price is not a number",
    "price-too-low": "Price too low",
    "price-too-high": "Price too high",
    "too-few-characters": "Too few characters",
    "too-few-tokens": "Too few tokens",
}
UNPRICED = ("corrupt", "no-price", "price-not-a-number")  # rejected before there was a price


class Rules(BaseModel):
    """What makes a row an item, and how long its text may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    lowest_price: float = 0.5
    highest_price: float = 999.49  # the last price that rounds to a slot
    characters_of: Literal["contents", "text"]
    least_characters: int
    most_characters: int = 160 * 7  # of the contents, before scrubbing
    least_tokens: int
    most_tokens: int = 160
    verbatim: bool = False  # the description is the text, to the letter: its scrubbing was done elsewhere


RULES = {
    # The first notebook: more than 300 characters and more than 150 tokens.
    "notebook-1": Rules(name="notebook-1", characters_of="contents", least_characters=301, least_tokens=151),
    "short-texts": Rules(name="short-texts", characters_of="text", least_characters=40, least_tokens=0),
}
# Of sets whose rows are items already.
AS_PUBLISHED = Rules(
    name="as-published", characters_of="text", least_characters=1, least_tokens=0, most_tokens=100_000, verbatim=True
)


@dataclass(frozen=True)
class Product:
    """A raw row with every field in one form; lone surrogates are U+FFFD."""

    item_id: str
    category: str
    title: str
    description: list[str]
    features: list[str]
    details: dict[str, Any]
    details_text: str  # the JSON text that the notebook's rules read
    store: str


@dataclass(frozen=True)
class Texts:
    """What the rules make of a product, with what they measured on the way."""

    text: str
    tokens: int
    characters: int  # before the cut
    tokens_before_cut: int | None  # None where too few characters ended it


class Rejected(Exception):
    """This row is no item; `reason` is a key of REASONS."""

    def __init__(self, reason: str):
        super().__init__(REASONS[reason])
        self.reason = reason


# Reading a row


def parse_line(line: bytes) -> dict:
    """Read one line of JSON as an object; Rejected("corrupt") for anything else.

    What strict JSON refuses but Python's reader takes (NaN as a price, half a surrogate pair) is kept, so that one bad
    value costs no more than itself.
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        row = _parse_leniently(line)
    if not isinstance(row, dict):
        raise Rejected("corrupt")
    return row


def _parse_leniently(line: bytes) -> Any:
    try:
        return _whole_characters(json.loads(line.decode("utf-8")))
    except (ValueError, RecursionError):
        raise Rejected("corrupt") from None


def _whole_characters(value: Any) -> Any:
    """Replace lone surrogates by U+FFFD in every string of a JSON value."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, list):
        return [_whole_characters(element) for element in value]
    if isinstance(value, dict):
        return {_whole_characters(name): _whole_characters(element) for name, element in value.items()}
    return value


_PRICE = re.compile(r"\$?\s?([0-9]{1,12}(?:\.[0-9]*)?|\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?)")


def parse_price(value: Any) -> float:
    """Read a price in dollars; Rejected where there is none or it is not one finite number.

    >>> parse_price("$1,299.00")
    1299.0
    """
    if value is None or (isinstance(value, str) and value.strip().lower() in ("", "none", "null", "nan")):
        raise Rejected("no-price")
    if isinstance(value, str):
        match = _PRICE.fullmatch(value.strip())
        if not match:
            raise Rejected("price-not-a-number")
        return float(match[1].replace(",", ""))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Rejected("price-not-a-number")
    try:
        price = float(value)
    except OverflowError:
        raise Rejected("price-not-a-number") from None
    if not math.isfinite(price):
        raise Rejected("price-not-a-number")
    return price


def category_of(row: dict, loaded_category: str | None) -> str:
    """The hub category that was loaded, otherwise the row's own."""
    category = loaded_category or row.get("main_category")
    return (category.strip() if isinstance(category, str) else "") or NO_CATEGORY


def read_product(row: dict, loaded_category: str | None) -> Product:
    """Bring the fields of a raw row into one form; Rejected("wrong-type") where that would be guessing."""
    details, details_text = _details(row.get("details"))
    try:
        identifier = item_id(row)
    except TypeError:  # nested too deeply, or an integer of more than 64 bits
        raise Rejected("wrong-type") from None
    return Product(
        item_id=identifier,
        category=category_of(row, loaded_category),
        title=_text(row.get("title")),
        description=_texts(row.get("description")),
        features=_texts(row.get("features")),
        details=details,
        details_text=details_text,
        store=_text(row.get("store")),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise Rejected("wrong-type")


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [_text(element) for element in value if element is not None]
    return [_text(value)] if value else []


# Ratings and prices never reach a model, wherever a seller wrote them.
_FORBIDDEN_DETAIL = re.compile(
    r"customer reviews?|(average|star|customer) ratings?|(list |sale |our )?price", re.IGNORECASE
)


def _details(value: Any) -> tuple[dict[str, Any], str]:
    """Give details as an object and as the JSON text that the notebook's rules read."""
    text = value if isinstance(value, str) else ""
    if text:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return {}, text
    if value is None or value == "":
        return {}, ""
    if not isinstance(value, dict):
        raise Rejected("wrong-type")
    try:
        orjson.dumps(value)
    except TypeError:
        raise Rejected("wrong-type") from None
    allowed = {name: detail for name, detail in value.items() if not _FORBIDDEN_DETAIL.fullmatch(name.strip())}
    if text and len(allowed) == len(value):
        return allowed, text
    return allowed, json.dumps(allowed)  # default separators and escapes, as in the notebook's source


# The text that the rules make

_REMOVALS = (
    '"Batteries Included?": "No"', '"Batteries Included?": "Yes"', '"Batteries Required?": "No"',
    '"Batteries Required?": "Yes"', "By Manufacturer", "Item", "Date First", "Package", ":", "Number of",
    "Best Sellers", "Number", "Product ",
)  # fmt: skip
_CLUTTER = re.compile(r'[:\[\]"{}【】\s]+')
_PART_NUMBER_LENGTH = 7


def scrub(text: str) -> str:
    """Drop clutter and part numbers (words of 7 characters or more with a digit), as the first notebook did.

    >>> scrub('Drill [18 V], model "XR2-4411K"')
    'Drill 18 V, model'
    """
    spaced = _CLUTTER.sub(" ", text).strip()
    spaced = spaced.replace(" ,", ",").replace(",,,", ",").replace(",,", ",")
    words = spaced.split(" ")
    return " ".join([word for word in words if not _is_part_number(word)])


def _is_part_number(word: str) -> bool:
    if len(word) < _PART_NUMBER_LENGTH or word.isalpha():
        return False
    return any(character.isdigit() for character in word)


def contents_of(product: Product) -> str:
    """Description, features and details as the first notebook laid them out."""
    details = product.details_text
    for removal in _REMOVALS:
        details = details.replace(removal, "")
    parts = ("\n".join(product.description), "\n".join(product.features), details)
    return "".join(part + "\n" for part in parts if part)


def make_texts(product: Product, rules: Rules, tokenizer: tiktoken.Encoding) -> Texts:
    """Make an item's text, whether or not it is long enough for the rules."""
    if rules.verbatim:
        text = "\n".join(product.description)
        tokens = len(tokenizer.encode_ordinary(text))
        return Texts(text, tokens, len(text), tokens if text else None)
    contents = contents_of(product)
    text = f"{scrub(product.title)}\n{scrub(contents[: rules.most_characters])}"
    if rules.characters_of == "text":
        text = text.strip()
    characters = len(contents) if rules.characters_of == "contents" else len(text)
    if characters < rules.least_characters:
        return Texts("", 0, characters, None)
    tokens = tokenizer.encode_ordinary(text)
    if len(tokens) > rules.most_tokens:
        text = tokenizer.decode(tokens[: rules.most_tokens])
    return Texts(text, min(len(tokens), rules.most_tokens), characters, len(tokens))


def check_price(price: float, rules: Rules) -> None:
    """Rejected where a price lies outside the rules' range."""
    if price < rules.lowest_price:
        raise Rejected("price-too-low")
    if price > rules.highest_price:
        raise Rejected("price-too-high")


def check_texts(texts: Texts, rules: Rules) -> None:
    """Rejected where a text is too short for the rules."""
    if texts.tokens_before_cut is None:
        raise Rejected("too-few-characters")
    if texts.tokens_before_cut < rules.least_tokens:
        raise Rejected("too-few-tokens")


# What stronger models read

FULL_TEXT_CHARACTERS = 4000
_TAG = re.compile(r"<[^<>]{1,300}>")
_SPACES = re.compile(r"\s+")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def clean(text: str) -> str:
    """Remove HTML and unseen characters, compose accents, and leave single spaces; doing it twice changes nothing.

    >>> clean("Caf&eacute;<br>table\\u200b  lamp")
    'Café table lamp'
    """
    previous = None
    while text != previous:  # "&amp;lt;b&amp;gt;" hides a tag twice
        previous = text
        text = _SPACES.sub(" ", _TAG.sub(" ", html.unescape(text)))
        text = unicodedata.normalize("NFC", _UNSEEN.sub("", text).strip())
    return text


def full_text(product: Product) -> str:
    """Everything that is said of a product, cleaned, one statement a line, at most 4,000 characters."""
    lines = [product.title, *product.description, *product.features, *_detail_lines(product)]
    cleaned = (clean(line) for line in lines)
    return "\n".join(line for line in cleaned if line)[:FULL_TEXT_CHARACTERS]


def _detail_lines(product: Product) -> list[str]:
    if not product.details:
        return [product.details_text.strip("{}")]
    return [f"{name}: {_detail_value(value)}" for name, value in product.details.items()]


def _detail_value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_detail_value(element)}" for name, element in value.items())
    if isinstance(value, list):
        return ", ".join(_detail_value(element) for element in value)
    return str(value)


_WEIGHT = re.compile(r"([0-9][0-9,]*\.?[0-9]*|\.[0-9]+)\s*(hundredths pounds|[a-z]+)", re.IGNORECASE)
_POUNDS = {
    "pounds": 1, "pound": 1, "lbs": 1, "lb": 1, "ounces": 1 / 16, "ounce": 1 / 16, "oz": 1 / 16, "grams": 1 / 453.592,
    "gram": 1 / 453.592, "g": 1 / 453.592, "milligrams": 1 / 453592, "mg": 1 / 453592, "kilograms": 1 / 0.453592,
    "kg": 1 / 0.453592, "hundredths pounds": 1 / 100, "tons": 2000,
}  # fmt: skip


def weight_pounds(details: dict[str, Any]) -> float | None:
    """The weight that the details state, in pounds."""
    for name in ("Item Weight", "Shipping Weight", "Package Weight"):
        match = _WEIGHT.match(str(details.get(name, "")).strip())
        if match and match[2].lower() in _POUNDS:
            return float(match[1].replace(",", "")) * _POUNDS[match[2].lower()]
    return None


def best_sellers_rank(details: dict[str, Any]) -> float | None:
    """The mean of a product's ranks, as the first notebook took it."""
    ranks = details.get("Best Sellers Rank")
    values = list(ranks.values()) if isinstance(ranks, dict) else [ranks]
    numbers = [float(rank) for rank in values if isinstance(rank, int | float) and not isinstance(rank, bool)]
    finite = [number for number in numbers if math.isfinite(number)]
    return sum(finite) / len(finite) if finite else None


# The verdict on a row


@dataclass
class Verdict:
    """What became of a raw row: "item" or a key of REASONS, and what was found until then."""

    outcome: str = "item"
    price: float | None = None
    product: Product | None = None
    texts: Texts | None = None


def judge(row: dict, rules: Rules, tokenizer: tiktoken.Encoding, loaded_category: str | None = None) -> Verdict:
    """Hold every rule against a row, in order, until one rejects it."""
    verdict = Verdict()
    try:
        verdict.price = parse_price(row.get("price"))
        check_price(verdict.price, rules)
        verdict.product = read_product(row, loaded_category)
        verdict.texts = make_texts(verdict.product, rules, tokenizer)
        check_texts(verdict.texts, rules)
    except Rejected as rejected:
        verdict.outcome = rejected.reason
    return verdict


@dataclass(frozen=True)
class Check:
    """One rule held against one row; `passed` is None where an earlier rule ended it."""

    rule: str
    value: str
    threshold: str
    passed: bool | None


def explain(line: str, rules: Rules, tokenizer: tiktoken.Encoding) -> list[Check]:
    """Say of each rule, in the order of the load, what it found in a raw row and whether the row passed."""
    try:
        row = parse_line(line.encode("utf-8", "replace"))
    except Rejected:
        row, verdict = {}, Verdict(outcome="corrupt")
    else:
        verdict = judge(row, rules, tokenizer)
    price = "" if verdict.price is None else f"${verdict.price:,.2f}"
    texts = verdict.texts or Texts("", 0, 0, None)
    steps = [
        ("A readable row", "", "one JSON object", ("corrupt",)),
        ("Price is a number", price or repr(row.get("price")), "any", ("no-price", "price-not-a-number")),
        ("Price in range", price, f"${rules.lowest_price:,.2f} to ${rules.highest_price:,.2f}",
         ("price-too-low", "price-too-high")),
        ("Fields of the right type", "", "text and lists of text", ("wrong-type",)),
        ("Characters", f"{texts.characters:,}", f"at least {rules.least_characters:,}", ("too-few-characters",)),
        ("Tokens", f"{texts.tokens_before_cut or 0:,}", f"at least {rules.least_tokens:,}", ("too-few-tokens",)),
    ]  # fmt: skip
    checks, passed = [], True
    for rule, value, threshold, reasons in steps:
        if passed:
            passed = verdict.outcome not in reasons
            checks.append(Check(rule, value, threshold, passed))
        else:
            checks.append(Check(rule, "not reached", threshold, None))
    return checks
