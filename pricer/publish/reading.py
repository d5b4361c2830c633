"""Curated sets read back, from a folder or the hub: rows for a catalogue, roles, and the hash of every split.

A set that Pricer published has items.parquet, whose texts and roles are taken as they are. Any other set needs columns
of the notebooks' editions: text and price, or prompt and completion; their question and price line are taken off.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq

from pricer import settings
from pricer.catalogue.download import Fetched, check_disk, fetch, list_files, look_up
from pricer.catalogue.hub import Address
from pricer.catalogue.roles import PublishedRoles
from pricer.catalogue.scrub import Rejected, parse_price
from pricer.catalogue.sources import Origin
from pricer.errors import PricerError
from pricer.items import content_hash, merge_hashes
from pricer.llm.prompts import without_prompt
from pricer.progress import Report, Step
from pricer.publish.folder import ITEMS, MANIFEST, PublishedManifest, read_manifest, sha256_of
from pricer.publish.forms import SPLITS

TEXTS = ("text", "prompt", "summary", "full")  # the first of these columns that a set has is the text
PRICES = ("price", "completion")
_READABLE = (".parquet", ".jsonl", ".json")
_SPLIT = re.compile(r"(?:^|[/_.-])(train|validation|valid|val|test)(?=[/_.-]|$)", re.IGNORECASE)
_BATCH = 8192
_LONGEST_TITLE = 200


@dataclass(frozen=True)
class ReadSplit:
    """What a split held; its hash is None where prices are withheld."""

    items: int
    content_hash: str | None


@dataclass
class ReadSet:
    """A set as rows that a catalogue is built of."""

    rows: Path
    roles: PublishedRoles
    splits: dict[str, ReadSplit]
    origin: Origin = field(default_factory=Origin)
    manifest: PublishedManifest | None = None


def read_set(source: Path | Address, rows: Path, report: Report) -> ReadSet:
    """Read a set from a folder or the hub and write its rows as JSON lines to `rows`.

    PricerError where there is no such set, it is damaged, or it has no columns that can be read.
    """
    if isinstance(source, Address):
        files, origin = _fetch_set(source, report)
    else:
        files = {path.relative_to(source).as_posix(): path for path in sorted(source.rglob("*")) if path.is_file()}
        origin = Origin()
    manifest = read_manifest(files[MANIFEST].read_bytes()) if MANIFEST in files else None
    if ITEMS in files:
        read = _read_items(files[ITEMS], manifest, rows, report)
    else:
        read = _read_columns(_wanted(files, str(source)), rows, report)
    read.origin, read.manifest = origin, manifest
    return read


def _fetch_set(address: Address, report: Report) -> tuple[dict[str, Path], Origin]:
    at, names = list_files(address)
    if address.part:
        names = [name for name in names if name == address.part or name.startswith(f"{address.part.rstrip('/')}/")]
    wanted = [ITEMS, MANIFEST] if ITEMS in names else list(_wanted({name: Path(name) for name in names}, str(address)))
    remotes = [look_up(at, name) for name in wanted if name in names]
    check_disk(settings.cache_folder(), 3 * sum(remote.missing_bytes for remote in remotes))
    fetched: list[Fetched] = [fetch(remote, report) for remote in remotes]
    seconds = sum(each.seconds for each in fetched)
    return {each.remote.address.part: each.path for each in fetched}, Origin(str(at), seconds)


def _wanted(files: dict[str, Path], source: str) -> dict[str, Path]:
    """The files with rows, those of train, validation and test if any is named so."""
    readable = {name: path for name, path in files.items() if name.endswith(_READABLE) and "/." not in f"/{name}"}
    readable = {
        name: path for name, path in readable.items() if Path(name).name not in (MANIFEST, "dataset_infos.json")
    }
    named = {name: path for name, path in readable.items() if _SPLIT.search(name)}
    chosen = named or readable
    if not chosen:
        raise PricerError(f"{source}: no Parquet or JSON-lines files to read rows from")
    ending = next(ending for ending in _READABLE if any(name.endswith(ending) for name in chosen))
    return {name: path for name, path in sorted(chosen.items()) if name.endswith(ending)}


# A set of Pricer's own


def _read_items(path: Path, manifest: PublishedManifest | None, rows: Path, report: Report) -> ReadSet:
    if manifest and sha256_of(path) != manifest.files.get(ITEMS):
        raise PricerError(f"{path}: {ITEMS} and {MANIFEST} do not belong together; fetch the set again")
    exam: dict[str, tuple[int, int]] = {}
    validation: set[str] = set()
    hashes: dict[str, list[str]] = {role: [] for role in SPLITS}
    counts, withheld, done = dict.fromkeys(SPLITS, 0), set(), 0
    mark = {"generated": True} if manifest and manifest.generated else {}
    with rows.open("wb") as out, _parquet(path) as file:
        missing = {"item_id", "text", "role", "price"} - set(file.schema_arrow.names)
        if missing:
            raise PricerError(f"{path}: {ITEMS} has no column {', '.join(sorted(missing))}")
        for batch in file.iter_batches(_BATCH):
            items = batch.to_pylist()
            for role in SPLITS:
                of_role = [item for item in items if item["role"] == role]
                counts[role] += len(of_role)
                if any(item["price"] is None for item in of_role):
                    withheld.add(role)
                else:
                    hashes[role].append(
                        content_hash((item["item_id"], item["price"], item["text"]) for item in of_role)
                    )
            validation |= {item["item_id"] for item in items if item["role"] == "validation"}
            exam |= {item["item_id"]: _ranks(item) for item in items if item["role"] == "exam"}
            out.writelines(_raw(item | mark) for item in items)
            done += len(items)
            report(Step("Reading the set", done, "items", done / max(1, file.metadata.num_rows)))
    splits = {
        SPLITS[role]: ReadSplit(count, None if role in withheld else merge_hashes(hashes[role]))
        for role, count in counts.items()
        if count
    }
    for split, said in manifest.content_hashes.items() if manifest else ():
        if split in splits and splits[split].content_hash != said:
            raise PricerError(f"{path}: the {split} split is not what {MANIFEST} says; fetch the set again")
    known = {} if "exam" in withheld else exam
    return ReadSet(rows, PublishedRoles(known, frozenset(validation if known else ())), splits)


def _ranks(item: dict) -> tuple[int, int]:
    natural, balanced = (item.get(name) for name in ("natural_rank", "balanced_rank"))
    return (-1 if natural is None else natural, -1 if balanced is None else balanced)


# Any other set


def _read_columns(files: dict[str, Path], rows: Path, report: Report) -> ReadSet:
    counts: dict[str, int] = {}
    total, read = sum(path.stat().st_size for path in files.values()), 0
    with rows.open("wb") as out:
        for name, path in files.items():
            split = _split_of(name)
            for batch in _batches(path):
                items = _items_of(batch, name)
                out.writelines(_raw(item) for item in items)
                counts[split] = counts.get(split, 0) + len(items)
                report(Step("Reading the set", sum(counts.values()), "items", read / max(1, total)))
            read += path.stat().st_size
    return ReadSet(rows, PublishedRoles({}, frozenset()), {name: ReadSplit(n, None) for name, n in counts.items()})


def _split_of(name: str) -> str:
    match = _SPLIT.search(name)
    word = match[1].lower() if match else "train"
    return {"valid": "validation", "val": "validation"}.get(word, word)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    if path.suffix == ".parquet":
        with _parquet(path) as file:
            yield from file.iter_batches(_BATCH)
        return
    try:
        yield from pyarrow.json.read_json(path).to_batches(_BATCH)
    except pa.ArrowInvalid as error:
        raise PricerError(f"{path.name}: not JSON lines ({' '.join(str(error).split())[:120]})") from error


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise PricerError(f"{path.name}: not a Parquet file, or a damaged one") from error


def _items_of(batch: pa.RecordBatch, name: str) -> list[dict]:
    text = _first(TEXTS, batch.schema.names)
    price = _first(PRICES, batch.schema.names)
    if text is None or (price is None and text not in ("text", "prompt")):
        columns = ", ".join(batch.schema.names[:12])
        raise PricerError(
            f"{name}: a curated set has columns text and price, or prompt and completion; this has {columns}"
        )
    return [_item_of(row, text, price) for row in batch.to_pylist()]


def _first(names: Sequence[str], columns: Sequence[str]) -> str | None:
    return next((name for name in names if name in columns), None)


def _item_of(row: dict, text_column: str, price_column: str | None) -> dict:
    """A row of a set as an item; a price that is no number stays as it is, so that the catalogue can say so."""
    text, at_end = without_prompt(row[text_column] if isinstance(row[text_column], str) else "")
    price = row[price_column] if price_column else at_end
    if price is None:
        price = at_end
    if isinstance(price, str):
        price = _read_price(price)
    elif isinstance(price, Decimal):
        price = float(price)
    title = row.get("title") if isinstance(row.get("title"), str) else text.split("\n", 1)[0][:_LONGEST_TITLE]
    identifier = row.get("item_id") or row.get("parent_asin")
    return {"item_id": identifier, "text": text, "price": price, "category": row.get("category"), "title": title}


def _read_price(text: str) -> float | str:
    try:
        return parse_price(text)
    except Rejected:
        return text


def _raw(item: dict) -> bytes:
    """An item as a raw row, which the rules *as published* make the same item of."""
    row = {
        "parent_asin": item["item_id"],
        "main_category": item.get("category"),
        "title": item.get("title") or item["text"].split("\n", 1)[0][:_LONGEST_TITLE],
        "description": [item["text"]],
        "features": [],
        "details": {},
        "price": item["price"],
    } | ({"generated": True} if item.get("generated") else {})
    return orjson.dumps(row, default=_as_text) + b"\n"


def _as_text(value: object) -> str:
    """What JSON has no word for: Parquet has bytes where others have text, and decimals, dates and more."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
