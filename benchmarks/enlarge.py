"""A catalogue of any size out of a small one, to try pages and benchmarks on: its pool again and again, under new ids.

    python -m pricer demo --rows 60000 --catalogue demo
    python benchmarks/enlarge.py demo big --items 2800000 --categories 33    # a minute, 2 GB

The pool then holds so many items in so many categories: copies differ in id, group and a little in price. Exam,
validation, sealed items and rows stay those of the small catalogue.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shutil import copyfile, copytree

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricer import settings
from pricer.catalogue.store import MANIFEST, Catalogue, CategoryCount, Manifest, check_name, open_catalogue
from pricer.curation.index import open_index
from pricer.draws import splitmix64
from pricer.files import publish, staged_folder, write_whole
from pricer.items import HIGHEST_SLOT, ITEM_SCHEMA, LOWEST_SLOT, SLOT_COUNT, content_hash, item_key, merge_hashes
from pricer.progress import Pace, Report, Step

SPREAD = 0.15  # of the logarithm of a copy's price around its original's
_ROW_GROUP = 8192


def enlarge(source: Catalogue, name: str, items: int, categories: int, report: Report) -> Catalogue:
    """Write a catalogue whose pool has so many items in so many categories, out of the pool of another."""
    old = source.manifest
    total = items + old.items - old.pool
    with staged_folder(settings.catalogues_folder()) as folder:
        for file in ("exam.parquet", "duplicates.parquet"):
            copyfile(source.folder / file, folder / file)
        copytree(source.folder / "rows", folder / "rows")
        (folder / "items").mkdir()
        writers, written = {}, _Written()
        for table in _pieces(source, items, categories):
            written.add(table)
            for category in pc.unique(table["category"]).to_pylist():
                if category not in writers:
                    path = folder / "items" / f"{len(writers):03d}.parquet"
                    writers[category] = pq.ParquetWriter(path, ITEM_SCHEMA, compression="zstd")
                part = table.filter(pc.equal(table["category"], category))
                writers[category].write_table(part, row_group_size=_ROW_GROUP)
            report(Step("Writing items", written.items, "items", written.items / total))
        for writer in writers.values():
            writer.close()
        write_whole(folder / MANIFEST, _manifest(old, name, written).model_dump_json(indent=1))
        publish(folder, settings.catalogues_folder() / check_name(name) / "1")
    return open_catalogue(name)


class _Written:
    """What the manifest says of the items that were written."""

    def __init__(self) -> None:
        self.categories: Counter[str] = Counter()
        self.slots = np.zeros(SLOT_COUNT, np.int64)
        self.price_sum = self.token_sum = 0.0
        self.hashes: list[str] = []

    @property
    def items(self) -> int:
        return self.categories.total()

    def add(self, table: pa.Table) -> None:
        self.categories.update(table["category"].to_pylist())
        self.slots += np.bincount(table["slot"].to_numpy(), minlength=SLOT_COUNT)
        self.price_sum += pc.sum(table["price"]).as_py()
        self.token_sum += pc.sum(table["tokens"]).as_py()
        hashed = (table[name].to_pylist() for name in ("item_id", "price", "text"))
        self.hashes.append(content_hash(zip(*hashed, strict=True)))


def _pieces(source: Catalogue, items: int, categories: int) -> Iterator[pa.Table]:
    """The items that are not in the pool, then copies of the pool, the last one cut."""
    table = pq.read_table(source.folder / "items", schema=ITEM_SCHEMA)
    names = _category_names(source.manifest.categories, categories)
    yield _renamed(table.filter(pc.not_equal(table["role"], "pool")), names, 0)
    pool = table.filter(pc.equal(table["role"], "pool"))
    random = np.random.default_rng(42)
    pool = pool.take(random.permutation(len(pool)))  # so that a part of it has all categories
    for copy, start in enumerate(range(0, items, len(pool))):
        yield _renamed(_copied(pool.slice(0, items - start), copy, random), names, copy)


def _category_names(known: tuple[str, ...], wanted: int) -> dict[str, list[str]]:
    """The new names of each known category; copies take them in turn."""
    names: dict[str, list[str]] = {name: [] for name in known}
    for place in range(max(wanted, len(known))):
        part = place // len(known) + 1
        names[known[place % len(known)]].append(known[place % len(known)] + (f"_{part}" if part > 1 else ""))
    return names if wanted >= len(known) else {name: [known[place % wanted]] for place, name in enumerate(known)}


def _renamed(table: pa.Table, names: dict[str, list[str]], copy: int) -> pa.Table:
    new = {old: choices[copy % len(choices)] for old, choices in names.items()}
    column = pa.array([new[old] for old in table["category"].to_pylist()], pa.string())
    return table.set_column(ITEM_SCHEMA.get_field_index("category"), "category", column)


def _copied(pool: pa.Table, copy: int, random: np.random.Generator) -> pa.Table:
    """The items of a pool under ids, keys, groups and prices of their own; the first copy is the pool itself."""
    if not copy:
        return pool
    ids = [f"{old}-{copy}" for old in pool["item_id"].to_pylist()]
    originals = pool["price"].to_numpy()
    prices = np.round(originals * np.exp(SPREAD * random.standard_normal(len(pool))), 2)
    prices = np.where((prices >= LOWEST_SLOT) & (prices <= HIGHEST_SLOT), prices, originals)
    columns = {
        "item_id": ids,
        "key": np.array([item_key(identifier) for identifier in ids], np.uint64),
        "group": splitmix64(pool["group"].to_numpy() ^ np.uint64(copy)),
        "price": prices,
        "slot": np.rint(prices).astype(np.int16),
    }
    arrays = [pa.array(columns[name]) if name in columns else pool[name] for name in ITEM_SCHEMA.names]
    return pa.Table.from_arrays(arrays, names=ITEM_SCHEMA.names).cast(ITEM_SCHEMA)


def _manifest(old: Manifest, name: str, written: _Written) -> Manifest:
    changed = {
        "name": name,
        "version": 1,
        "created": datetime.now(UTC),
        "rows": written.items,
        "items": written.items,
        "duplicates": 0,
        "rejections": {},
        "by_category": [
            CategoryCount(category=category, rows=items, items=items, duplicates=0, rejections={})
            for category, items in sorted(written.categories.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        "pool": written.items - old.exam - old.validation - old.sealed,
        "content_hash": merge_hashes(written.hashes),
        "price_mean": written.price_sum / written.items,
        "price_median": float((2 * written.slots.cumsum() >= written.items).argmax()),
        "tokens_mean": written.token_sum / written.items,
        "histograms": old.histograms.model_copy(update={"slots": written.slots.tolist()}),
    }
    return old.model_copy(update=changed)


def _tell(pace: Pace, step: Step) -> None:
    left = pace.of(step).remaining_seconds
    print(f"\r{step.stage} {step.count:,} {step.unit}, {left or 0:.0f} s left ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="a catalogue of this home")
    parser.add_argument("name", help="of the new one")
    parser.add_argument("--items", type=int, default=2_800_000, help="in its pool")
    parser.add_argument("--categories", type=int, default=33)
    options = parser.parse_args()
    tell = partial(_tell, Pace())
    made = enlarge(open_catalogue(options.source), options.name, options.items, options.categories, tell)
    tell(Step("\nIndexing the pool", made.manifest.pool, "items"))
    open_index(made)
    print(f"\n{made.name}: {made.manifest.pool:,} items in the pool, {len(made.manifest.categories)} categories")
