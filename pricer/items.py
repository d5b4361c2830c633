"""What an item is: its columns, its id and key, its slot, and the hash of a table of items."""

import hashlib
import unicodedata
from collections.abc import Iterable

import orjson
import pyarrow as pa
import xxhash

LOWEST_SLOT, HIGHEST_SLOT = 1, 999
SLOT_COUNT = HIGHEST_SLOT + 1  # slot 0 holds items at $0.50, which no sample takes
NO_CATEGORY = "(none)"
ROLES = ("exam", "validation", "sealed", "pool")

ITEM_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("key", pa.uint64()),
        ("group", pa.uint64()),
        ("role", pa.string()),
        ("price", pa.float64()),  # dollars
        ("price_spread", pa.float64()),  # dearest less cheapest of the item's duplicates
        ("slot", pa.int16()),
        ("category", pa.string()),
        ("title", pa.string()),
        ("text", pa.string()),  # what the rules make; prompts and the notebooks' models read it
        ("full_text", pa.string()),  # cleaned and uncut; stronger models read it
        ("details", pa.string()),  # JSON
        ("store", pa.string()),
        ("weight_pounds", pa.float64()),
        ("rank", pa.float64()),
        ("tokens", pa.int32()),  # of text
        ("characters", pa.int32()),  # as the rules count them, before any cut
    ]
)


def item_id(row: dict) -> str:
    """Name a raw row: its `parent_asin`, or `x` and the hash of what it says of the product.

    Depends on the raw row alone, so a product keeps its id under any rules.
    """
    asin = row.get("parent_asin")
    if isinstance(asin, str) and asin.strip():
        return asin.strip()
    said = [row.get(field) for field in ("title", "description", "features", "details", "store")]
    canonical = unicodedata.normalize("NFC", orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode())
    return f"x{xxhash.xxh3_64_hexdigest(canonical.encode())}"


def item_key(identifier: str) -> int:
    """The 64-bit number that stands for an item id in draws, groups and indexes."""
    return xxhash.xxh3_64_intdigest(identifier.encode())


def slot_of(price: float) -> int:
    """The whole dollar nearest to a price, half to even: 0.5 gives 0, 1.5 gives 2."""
    return round(price)


def cents(price: float) -> int:
    return round(price * 100)


def content_hash(rows: Iterable[tuple[str, float, str]]) -> str:
    """Hash (item_id, price in dollars, text) triples, whatever their order: 32 hex digits.

    It is the sum modulo 2^128 of each row's BLAKE2b-128, so the hashes of parts merge by `merge_hashes`.
    """
    total = 0
    for identifier, price, text in rows:
        row = orjson.dumps([identifier, cents(price), text])
        total += int.from_bytes(hashlib.blake2b(row, digest_size=16).digest())
    return f"{total % 2**128:032x}"


def merge_hashes(hashes: Iterable[str]) -> str:
    """The content hash of a table from the content hashes of its parts."""
    return f"{sum(int(part, 16) for part in hashes) % 2**128:032x}"


def exam_hash(rows: Iterable[tuple[str, float]]) -> str:
    """SHA-256 over the sorted "item_id,price" lines of an exam: who has this hash was graded on these items."""
    lines = sorted(f"{identifier},{price:.2f}\n" for identifier, price in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
