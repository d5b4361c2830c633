"""Hand-made raw rows and items for the tests."""

import gzip
import json
from pathlib import Path

import polars as pl

FEW = 400  # items that models learn from

_WORDS = ("sturdy", "oak", "table", "with", "four", "legs", "and", "drawer", "that", "opens", "without", "sound", "for",
          "the", "kitchen", "or", "hall", "made", "to", "last", "years")  # fmt: skip


def raw_row(number: int = 0, **changes) -> dict:
    """A raw row long enough for the rules notebook-1; other numbers give other products, unlike each other."""
    words = [f"{word}{_letters(number * 31 + place)}" for place, word in enumerate(_WORDS * 6)]
    row = {
        "main_category": "Appliances",
        "title": f"Table {_letters(number)}",
        "description": [" ".join(words)],
        "features": ["Made by hand"],
        "price": 10.0 + number,
        "store": "Oak and Sons",
        "details": {"Brand": "Oak", "Item Weight": "12 pounds"},
        "parent_asin": f"T{number:06d}",
    }
    return row | changes


def _letters(number: int) -> str:
    """A number in letters, since words with digits are taken for part numbers."""
    letters = ""
    while True:
        number, digit = divmod(number, 26)
        letters = chr(97 + digit) + letters
        if not number:
            return letters


def write_rows(path: Path, rows: list[dict | bytes]) -> Path:
    """Write rows as JSON lines (bytes as they are), gzipped if the name ends in .gz."""
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    data = b"\n".join(lines) + b"\n"
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def item_saying(text: str) -> pl.DataFrame:
    """One item, as a page makes it of what a person typed."""
    said = {name: [text] for name in ("title", "text", "full_text")}
    numbers = {name: pl.Series([None], dtype=pl.Float64) for name in ("weight_pounds", "rank")}
    return pl.DataFrame(said | numbers | {"category": ["Never seen before"], "details": ["{}"], "store": [""]})
