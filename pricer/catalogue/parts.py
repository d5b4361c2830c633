"""One block of lines to one part of a catalogue: the work that is spread over processes."""

import os
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from pricer.catalogue import groups
from pricer.catalogue.scrub import (
    Rejected,
    Rules,
    Verdict,
    best_sellers_rank,
    category_of,
    full_text,
    judge,
    parse_line,
    weight_pounds,
)
from pricer.catalogue.tokens import llama3
from pricer.items import item_id, item_key

UNREADABLE = "(unreadable)"  # the category of a line that is no row
PRICE_BINS = (10, 100)  # width and number of bins
CHARACTER_BINS = (100, 60)
TOKEN_BINS = (10, 30)
_LONGEST_TITLE_SHOWN = 300
_LONGEST_CORRUPT_LINE_KEPT = 10_000

_ROW_SCHEMA = pa.schema(
    [
        ("row_number", pa.int64()),
        ("source", pa.int32()),
        ("line", pa.int64()),
        ("item_id", pa.string()),
        ("title", pa.string()),
        ("category", pa.string()),
        ("outcome", pa.string()),
        ("price", pa.float64()),
        ("characters", pa.int32()),
        ("tokens", pa.int32()),
        ("raw", pa.string()),
    ]
)
_ITEM_PART_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("key", pa.uint64()),
        ("price", pa.float64()),
        ("category", pa.string()),
        ("title", pa.string()),
        ("text", pa.string()),
        ("full_text", pa.string()),
        ("details", pa.string()),
        ("store", pa.string()),
        ("weight_pounds", pa.float64()),
        ("rank", pa.float64()),
        ("tokens", pa.int32()),
        ("characters", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Task:
    """A block to scrub, and where its part goes."""

    number: int
    source: int
    category: str | None  # of the hub file that is loaded
    first_line: int
    first_row: int  # number of the block's first line in all sources
    data: bytes
    bytes_read: int
    folder: Path
    rules: Rules


@dataclass(frozen=True)
class Part:
    """What the parent keeps in memory of a scrubbed block; texts and raw rows are on disk."""

    number: int
    source: int
    category: str | None  # of the hub file that is loaded
    bytes_read: int
    outcomes: Counter  # (category, outcome) -> rows
    generated: int
    prices: np.ndarray  # counts in bins, the last one for what lies beyond
    characters: np.ndarray
    tokens: np.ndarray
    item_rows: np.ndarray  # row_number of each item
    item_ids: list[str]
    item_categories: list[str]
    item_prices: np.ndarray
    item_tokens: np.ndarray
    said: np.ndarray  # hash of title and text
    contents: np.ndarray  # hash of the whole item
    sets: np.ndarray
    bands: np.ndarray
    shingle_sizes: np.ndarray

    @property
    def rows(self) -> int:
        return self.outcomes.total()


def scrub_block(task: Task) -> Part:
    """Scrub a block; write its raw rows, its items and their shingles; return what deciding needs."""
    rows, items = [], []
    outcomes: Counter = Counter()
    generated = 0
    for offset, line in enumerate(task.data.split(b"\n")):
        if not line.strip():
            continue
        row, verdict = _judge_line(line, task)
        category = category_of(row, task.category) if row is not None else task.category or UNREADABLE
        outcomes[category, verdict.outcome] += 1
        generated += row is not None and row.get("generated") is True
        rows.append(_row_record(task, offset, line, row, category, verdict))
        if verdict.outcome == "item":
            items.append(_item_record(verdict))
    row_table = pa.Table.from_pylist(rows, schema=_ROW_SCHEMA)
    pq.write_table(row_table, rows_file(task.folder, task.number), compression="zstd")
    return _summary(task, row_table, items, outcomes, generated)


def rows_file(folder: Path, number: int) -> Path:
    return folder / "rows" / f"{number:06d}.parquet"


def items_file(folder: Path, number: int) -> Path:
    return folder / "parts" / f"{number:06d}.items.parquet"


def shingles_file(folder: Path, number: int) -> Path:
    return folder / "parts" / f"{number:06d}.shingles.npy"


def _judge_line(line: bytes, task: Task) -> tuple[dict | None, Verdict]:
    try:
        row = parse_line(line)
    except Rejected as rejected:
        return None, Verdict(outcome=rejected.reason)
    return row, judge(row, task.rules, llama3(), task.category)


def _row_record(task: Task, offset: int, line: bytes, row: dict | None, category: str, verdict: Verdict) -> dict:
    raw = line.strip().decode("utf-8", "replace")
    title = row.get("title") if row is not None else None
    return {
        "row_number": task.first_row + offset,
        "source": task.source,
        "line": task.first_line + offset,
        "item_id": _name(row),
        "title": title[:_LONGEST_TITLE_SHOWN] if isinstance(title, str) else "",
        "category": category,
        "outcome": verdict.outcome,
        "price": verdict.price,
        "characters": verdict.texts.characters if verdict.texts else None,
        "tokens": verdict.texts.tokens_before_cut if verdict.texts else None,
        "raw": raw if row is not None else raw[:_LONGEST_CORRUPT_LINE_KEPT],
    }


def _name(row: dict | None) -> str:
    if row is None:
        return ""
    try:
        return item_id(row)
    except TypeError:  # nested too deeply to be hashed: it was rejected
        return ""


def _item_record(verdict: Verdict) -> dict:
    product, texts = verdict.product, verdict.texts
    return {
        "item_id": product.item_id,
        "key": item_key(product.item_id),
        "price": verdict.price,
        "category": product.category,
        "title": product.title,
        "text": texts.text,
        "full_text": full_text(product),
        "details": orjson.dumps(product.details).decode(),
        "store": product.store,
        "weight_pounds": weight_pounds(product.details),
        "rank": best_sellers_rank(product.details),
        "tokens": texts.tokens,
        "characters": texts.characters,
    }


def _summary(task: Task, rows: pa.Table, items: list[dict], outcomes: Counter, generated: int) -> Part:
    pq.write_table(
        pa.Table.from_pylist(items, schema=_ITEM_PART_SCHEMA), items_file(task.folder, task.number), compression="lz4"
    )
    shingles = groups.make_shingles([item["full_text"] for item in items])
    np.save(shingles_file(task.folder, task.number), shingles.values)
    is_item = np.array([outcome == "item" for outcome in rows["outcome"].to_pylist()], dtype=bool)
    return Part(
        number=task.number,
        source=task.source,
        category=task.category,
        bytes_read=task.bytes_read,
        outcomes=outcomes,
        generated=generated,
        prices=_binned(rows["price"], PRICE_BINS),
        characters=_binned(rows["characters"], CHARACTER_BINS),
        tokens=_binned(rows["tokens"], TOKEN_BINS),
        item_rows=rows["row_number"].to_numpy()[is_item],
        item_ids=[item["item_id"] for item in items],
        item_categories=[item["category"] for item in items],
        item_prices=np.array([item["price"] for item in items], dtype=np.float64),
        item_tokens=np.array([item["tokens"] for item in items], dtype=np.int32),
        said=np.array([_hash(item["title"], item["text"]) for item in items], dtype=np.uint64),
        contents=np.array([_hash(*map(str, item.values())) for item in items], dtype=np.uint64),
        sets=groups.set_hashes(shingles),
        bands=groups.band_hashes(shingles),
        shingle_sizes=np.diff(shingles.offsets),
    )


def _binned(column: pa.ChunkedArray, bins: tuple[int, int]) -> np.ndarray:
    width, count = bins
    values = column.drop_null().to_numpy()
    places = np.clip(values // width, 0, count).astype(np.int64)
    return np.bincount(places, minlength=count + 1)


def _hash(*texts: str) -> int:
    return xxhash.xxh3_64_intdigest("\x1f".join(texts).encode())


def end_with_parent(parent: int) -> None:
    """Let a worker process end when the process that started it is gone, however and whenever it went."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
