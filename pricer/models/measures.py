"""Numbers that an item states: weight, size, pack count, years, quantities with their units, and numeric details."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import polars as pl

from pricer.models.tables import numbers_of, texts_of

LEAST_SHARE = 0.005  # of items that must state a detail before its number is read
MOST_DETAILS = 100
_DIMENSIONS_WITHIN = 1500  # characters in which a text's own dimensions are looked for

_QUANTITIES: dict[str, dict[str, float]] = {
    "pounds": {"pounds?|lbs?": 1, "ounces?|oz": 1 / 16, "kilograms?|kg": 2.20462, "grams?|g": 0.00220462},
    "inches": {
        'inch(?:es)?|in|"|”': 1, "feet|foot|ft": 12, "yards?": 36,
        "millimeters?|mm": 0.0393701, "centimeters?|cm": 0.393701, "meters?|m": 39.3701,
    },
    "fluid ounces": {
        "fl oz|fluid ounces?": 1, "milliliters?|ml": 0.033814, "liters?|l": 33.814, "quarts?": 32, "gallons?|gal": 128,
    },
    "gigabytes": {"mb": 0.001, "gb": 1, "tb": 1000},
    "watts": {"watts?|w": 1, "kw": 1000},
    "volts": {"volts?|v": 1},
    "megahertz": {"hz": 1e-6, "khz": 1e-3, "mhz": 1, "ghz": 1000},
    "turns": {"rpm": 1},
    "milliampere hours": {"mah": 1},
    "amperes": {"amps?|a": 1},
    "pounds per square inch": {"psi": 1},
    "british thermal units": {"btu": 1},
    "lumens": {"lumens?|lm": 1},
    "years": {"years?": 1},
    "pieces": {"pieces?|pcs?": 1},
    "packs": {"packs?|pk|count|ct": 1},
    "megapixels": {"megapixels?|mp": 1},
    "ports": {"channels?|ports?": 1},
    "strings": {"strings?|keys?": 1},
    "karat": {"karat|kt|k": 1},
}  # fmt: skip
MEASURES = (
    "weight", "best-seller rank", "longest side", "shortest side", "volume", "longest side in text",
    "shortest side in text", "volume in text", "pack count in title", "pack count in text", "latest year",
    "earliest year", "length of title", "length of text", "number of details", "lines of text", "digits of title",
    "capitals of title", "share of digits in text", "words of title", "exclamation marks",
    *(f"{which} {quantity} in {place}" for place in ("title", "text") for which in ("first", "largest")
      for quantity in _QUANTITIES),
)  # fmt: skip
_UNITS = [(words, place, factor) for place, units in enumerate(_QUANTITIES.values()) for words, factor in units.items()]
_NUMBER = r"(\d[\d,]{0,12}(?:\.\d{1,9})?)"
_QUANTITY = re.compile(_NUMBER + r"[\s-]?(" + "|".join(words for words, _, _ in _UNITS) + r")(?![a-z0-9])")
_NUMBER_AND_WORD = re.compile(_NUMBER + r'\s?([a-z"”]*)')
_DIMENSIONS = re.compile(rf'{_NUMBER}"?\s?[lwhd]?\s?[x×*]\s?{_NUMBER}"?\s?[lwhd]?(?:\s?[x×*]\s?{_NUMBER})?')
_PACK = re.compile(
    r"\b(?:pack|set|box|lot|case|bundle) of (\d{1,6})|\b(\d{1,6})[\s-]?(?:pack|pk|count|ct|pcs|pieces?|set)\b"
    r"|\bx\s?(\d{1,6})\b|\b(\d{1,6})\s?x\b"
)
_YEAR = re.compile(r"\b(19[5-9]\d|20[0-3]\d)\b")
_NONE = math.nan


def details_of(items: pl.DataFrame) -> list[dict[str, Any]]:
    """The details of each item as one flat object: what stands in an object within it is read as its own."""
    return [dict(_flat(orjson.loads(details or "{}"))) for details in texts_of(items, "details")]


def _flat(details: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in details.items():
        if isinstance(value, dict):
            yield from _flat(value)
        else:
            yield name, value


def frequent_details(items: pl.DataFrame) -> list[str]:
    """The names of details that enough items state, the most frequent first."""
    counted = Counter(name for details in details_of(items) for name in details)
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_DETAILS]
    return [name for name, count in ordered if count >= LEAST_SHARE * len(items)]


def measures(items: pl.DataFrame, detail_names: Sequence[str]) -> np.ndarray:
    """What the items state: float32 (n, measures), NaN where nothing is said; as `MEASURES`, then the details."""
    stated = zip(texts_of(items, "title"), texts_of(items, "full_text"), details_of(items), strict=True)
    rows = [_measure(title, text, details, detail_names) for title, text, details in stated]
    table = np.array(rows, dtype=np.float64).reshape(len(items), measure_count(detail_names) - 2)
    numbers = [numbers_of(items, name) for name in ("weight_pounds", "rank")]
    return np.column_stack([*numbers, table]).clip(-1e30, 1e30).astype(np.float32)


def measure_count(detail_names: Sequence[str]) -> int:
    """How many measures there are with so many details."""
    return len(MEASURES) + len(detail_names)


def _measure(title: str, text: str, details: dict[str, Any], detail_names: Sequence[str]) -> list[float]:
    lower_title, lower_text = title.lower(), text.lower()
    dimensions = next((value for name, value in details.items() if "imension" in name and isinstance(value, str)), "")
    years = [int(year) for year in _YEAR.findall(text)]
    digits, capitals = sum(map(str.isdigit, title)), sum(map(str.isupper, title))
    return [
        *_sides(dimensions.lower()),
        *_sides(lower_text[:_DIMENSIONS_WITHIN]),
        _pack_count(lower_title),
        _pack_count(lower_text),
        max(years, default=_NONE),
        min(years, default=_NONE),
        len(title),
        len(text),
        len(details),
        text.count("\n"),
        digits,
        capitals / max(1, len(title)),
        sum(map(str.isdigit, text)) / max(1, len(text)),
        len(title.split()),
        text.count("!"),
        *_quantities(lower_title),
        *_quantities(lower_text),
        *(_number(details.get(name)) for name in detail_names),
    ]


def _sides(text: str) -> tuple[float, float, float]:
    """The longest and the shortest side in inches, and their product where three are stated."""
    match = _DIMENSIONS.search(text)
    if not match:
        return _NONE, _NONE, _NONE
    rest = text[match.end() : match.end() + 15]
    inches = 0.393701 if "cm" in rest or "centim" in rest else 0.0393701 if "mm" in rest or "millim" in rest else 1
    sides = [_to_float(side) * inches for side in match.groups() if side]
    return max(sides), min(sides), math.prod(sides) if len(sides) == 3 else _NONE


def _pack_count(text: str) -> float:
    match = _PACK.search(text)
    return _to_float(next(filter(None, match.groups()))) if match else _NONE


def _quantities(text: str) -> list[float]:
    """The first and the largest number of each quantity."""
    first, largest = [_NONE] * len(_QUANTITIES), [_NONE] * len(_QUANTITIES)
    for match in _QUANTITY.finditer(text):
        place, factor = _unit(match[2])
        value = _to_float(match[1]) * factor
        if math.isnan(first[place]):
            first[place] = largest[place] = value
        largest[place] = max(largest[place], value)
    return first + largest


_UNIT_WORDS = [(re.compile(words), place, factor) for words, place, factor in _UNITS]


@lru_cache(maxsize=1024)
def _unit(word: str) -> tuple[int, float]:
    """Which quantity a unit measures, and how many of the quantity's own unit it is; (-1, 1) where it is no unit."""
    return next(((place, factor) for pattern, place, factor in _UNIT_WORDS if pattern.fullmatch(word)), (-1, 1.0))


def _number(value: Any) -> float:
    """The first number of a detail's value, in its quantity's own unit; of a list, how many it holds."""
    if isinstance(value, list):
        return len(value)
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e30 else _NONE
    match = _NUMBER_AND_WORD.search(value.lower()) if isinstance(value, str) else None
    return _to_float(match[1]) * _unit(match[2])[1] if match else _NONE


def _to_float(digits: str) -> float:
    return float(digits.replace(",", ""))
