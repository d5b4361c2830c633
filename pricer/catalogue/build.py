"""Raw rows to a catalogue: scrub in parallel, merge duplicates, find groups, draw roles, write it whole."""

import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import pricer
from pricer import settings
from pricer.catalogue import groups, parts
from pricer.catalogue.duplicates import Merged, merge_duplicates
from pricer.catalogue.parts import Part, Task
from pricer.catalogue.roles import EXAM, POOL, SEALED, VALIDATION, PublishedRoles, Roles, assign_roles
from pricer.catalogue.scrub import AS_PUBLISHED, REASONS, RULES, UNPRICED, Rejected, Rules, judge, parse_line
from pricer.catalogue.sources import LineReader, Origin, check_source, hub_category
from pricer.catalogue.store import (
    MANIFEST,
    Binned,
    Catalogue,
    CategoryCount,
    Histograms,
    Manifest,
    Source,
    check_name,
    made_by,
)
from pricer.catalogue.tokens import llama3
from pricer.errors import PricerError
from pricer.files import publish, staged_folder, write_whole
from pricer.items import ITEM_SCHEMA, ROLES, SLOT_COUNT, content_hash, exam_hash, item_key, merge_hashes
from pricer.progress import Report, Step, silent

AUTO = "auto"
_ROWS_TRIED = 2000  # priced rows that decide the rules
_LINES_TRIED = 200_000
_IN_ONE_PROCESS_BYTES = 1 << 21
_ROW_GROUP = 8192
_MOST_FILES = 200  # smaller categories beyond these share the last file


@dataclass(frozen=True)
class Scrubbed:
    """All parts of a load, and its items as arrays in the order of their rows."""

    parts: list[Part]
    sources: list[Source]
    rows: np.ndarray  # row_number of each item
    ids: np.ndarray
    keys: np.ndarray
    prices: np.ndarray
    seconds: Counter  # by category

    def all(self, name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in self.parts])


@dataclass(frozen=True)
class Decided:
    """What becomes of each item of a load."""

    merged: Merged
    groups: np.ndarray
    roles: Roles


def build_catalogue(
    paths: Sequence[Path],
    name: str,
    rules_name: str = AUTO,
    report: Report = silent,
    origins: Sequence[Origin] = (),
    published: PublishedRoles | None = None,
) -> Catalogue:
    """Load files of products as the next version of a catalogue.

    `rules_name` is "auto" or a key of `RULES`. `origins` says where each file came from, if not from this machine. With
    `published` the rows are items of a published set: their texts are taken to the letter, and the roles are those.
    Nothing is seen of the catalogue until it is whole. PricerError where a file cannot be read, or no row becomes an
    item.
    """
    started = time.monotonic()
    check_name(name)
    for path in paths:
        check_source(path)
    rules, why = (AS_PUBLISHED, "texts as published") if published else choose_rules(paths, rules_name)
    with staged_folder(settings.catalogues_folder()) as folder:
        scrubbed = _scrub(paths, rules, folder, origins or [Origin()] * len(paths), report)
        decided = _decide(scrubbed, folder, published, report)
        hashes = _write_items(folder, scrubbed, decided, report)
        _write_duplicates(folder, scrubbed, decided.merged)
        exam = _write_exam(folder, scrubbed, decided)
        shutil.rmtree(folder / "parts")
        manifest = _manifest(name, rules, why, scrubbed, decided, exam, merge_hashes(hashes))
        return publish_catalogue(folder, manifest, started)


def choose_rules(paths: Sequence[Path], rules_name: str) -> tuple[Rules, str]:
    """The rules of that name and why; "auto" looks at the first 2,000 priced rows."""
    if rules_name != AUTO:
        if rules_name not in RULES:
            raise PricerError(f"rules are {AUTO}, {' or '.join(RULES)}, got {rules_name!r}")
        return RULES[rules_name], "as asked"
    rules = RULES["notebook-1"]
    outcomes = [judge(row, rules, llama3()).outcome for row in _first_priced_rows(paths, rules)]
    passed = outcomes.count("item")
    why = f"{passed:,} of the first {len(outcomes):,} priced rows pass notebook-1"
    enough = passed * 2 >= len(outcomes)
    return (rules, f"{why}, at least half") if enough else (RULES["short-texts"], f"{why}, fewer than half")


def _first_priced_rows(paths: Sequence[Path], rules: Rules) -> Iterator[dict]:
    priced = tried = 0
    for number, path in enumerate(paths):
        for block in LineReader(path, number).blocks():
            for line in block.data.split(b"\n"):
                tried += 1
                if priced == _ROWS_TRIED or tried > _LINES_TRIED:
                    return
                try:
                    row = parse_line(line)
                except Rejected:
                    continue
                if judge({"price": row.get("price")}, rules, llama3()).outcome not in UNPRICED:
                    priced += 1
                    yield row


# Scrubbing


def _scrub(paths: Sequence[Path], rules: Rules, folder: Path, origins: Sequence[Origin], report: Report) -> Scrubbed:
    (folder / "rows").mkdir()
    (folder / "parts").mkdir()
    readers = [LineReader(path, number) for number, path in enumerate(paths)]
    sizes = [path.stat().st_size for path in paths]
    done: list[Part] = []
    seconds: Counter = Counter()
    rows, last = 0, time.monotonic()
    for part in _scrub_in_parallel(_tasks(readers, rules, folder), sum(sizes)):
        done.append(part)
        rows += part.rows
        last, since = time.monotonic(), last
        for (category, _), count in part.outcomes.items():
            seconds[category] += (last - since) * count / part.rows
        report(Step(*_progress(part, done, sizes)))
    if not rows:
        raise PricerError(f"no rows in {', '.join(str(path) for path in paths)}")
    if not any(len(part.item_ids) for part in done):
        raise PricerError(f"no row became an item: {_told(sum((part.outcomes for part in done), Counter()))}")
    ids = [identifier for part in done for identifier in part.item_ids]
    return Scrubbed(
        parts=done,
        sources=[_source(*each, done) for each in zip(readers, sizes, origins, strict=True)],
        rows=np.concatenate([part.item_rows for part in done]),
        ids=np.array(ids, dtype=object),
        keys=np.array([item_key(identifier) for identifier in ids], dtype=np.uint64),
        prices=np.concatenate([part.item_prices for part in done]),
        seconds=seconds,
    )


def _progress(part: Part, done: list[Part], sizes: list[int]) -> tuple[str, int, str, float]:
    """How far scrubbing is: of a hub's category its own rows, of other files all of them."""
    if part.category:
        rows = sum(each.rows for each in done if each.source == part.source)
        return f"Scrubbing {part.category}", rows, "rows", part.bytes_read / max(sizes[part.source], 1)
    read = sum(sizes[: part.source]) + part.bytes_read
    return "Scrubbing rows", sum(each.rows for each in done), "rows", read / max(sum(sizes), 1)


def _tasks(readers: list[LineReader], rules: Rules, folder: Path) -> Iterator[Task]:
    number = row = 0
    for reader in readers:
        category = hub_category(reader.path)
        for block in reader.blocks():
            yield Task(
                number, reader.source, category, block.first_line, row, block.data, block.bytes_read, folder, rules
            )
            number += 1
            row += block.data.count(b"\n") + (not block.data.endswith(b"\n"))


def _scrub_in_parallel(tasks: Iterator[Task], size: int) -> Iterator[Part]:
    """Scrub tasks in worker processes, a few ahead of what was taken, and give the parts in order."""
    workers = settings.worker_count()
    if workers == 1 or size < _IN_ONE_PROCESS_BYTES:
        yield from map(parts.scrub_block, tasks)
        return
    # "spawn": a forked child of a process with running threads may never wake up.
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=parts.end_with_parent, initargs=(os.getpid(),)
    )
    waiting: list[Future[Part]] = []
    try:
        for task in tasks:
            waiting.append(pool.submit(parts.scrub_block, task))
            if len(waiting) > 2 * workers:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    except BrokenProcessPool as error:
        raise PricerError("a worker process was ended from outside, perhaps for lack of memory; load again") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _source(reader: LineReader, size: int, origin: Origin, done: list[Part]) -> Source:
    return Source(
        name=reader.path.name,
        bytes=size,
        rows=sum(part.rows for part in done if part.source == reader.source),
        complete=not reader.note,
        note=reader.note,
        origin=origin.address,
        download_seconds=round(origin.seconds, 2),
    )


def _told(outcomes: Counter) -> str:
    by_reason: Counter = Counter()
    for (_, reason), count in outcomes.items():
        by_reason[reason] += count
    return ", ".join(f"{REASONS[reason].lower()} {count:,}" for reason, count in by_reason.most_common())


# Deciding


def _decide(scrubbed: Scrubbed, folder: Path, published: PublishedRoles | None, report: Report) -> Decided:
    report(Step("Merging duplicates", len(scrubbed.ids), "items"))
    merged = merge_duplicates(
        scrubbed.ids, scrubbed.keys, scrubbed.all("said"), scrubbed.all("contents"), scrubbed.prices
    )
    keys = scrubbed.keys[merged.kept]
    shingles = _kept_shingles(scrubbed, merged.kept, folder)
    sets, bands = scrubbed.all("sets")[merged.kept], scrubbed.all("bands")[merged.kept]
    named = groups.name_groups(keys, sets, bands, shingles, report)
    report(Step("Drawing roles", len(keys), "items"))
    ids = scrubbed.ids[merged.kept]
    roles = published.assign(ids, named) if published and published.exam else assign_roles(keys, named, merged.prices)
    return Decided(merged, named, roles)


def _kept_shingles(scrubbed: Scrubbed, kept: np.ndarray, folder: Path) -> groups.Shingles:
    is_kept = np.zeros(len(scrubbed.ids), dtype=bool)
    is_kept[kept] = True
    values, start = [], 0
    for part in scrubbed.parts:
        stop = start + len(part.item_ids)
        in_part = np.repeat(is_kept[start:stop], part.shingle_sizes)
        values.append(np.load(parts.shingles_file(folder, part.number))[in_part])
        start = stop
    sizes = scrubbed.all("shingle_sizes")[kept]
    return groups.Shingles(np.concatenate(values), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


# Writing


def _write_items(folder: Path, scrubbed: Scrubbed, decided: Decided, report: Report) -> list[str]:
    """Write the items by category and return the content hash of each part."""
    categories = _categories_by_size(scrubbed, decided.merged)
    writers = _CategoryWriters(folder / "items", categories)
    kept, hashes = decided.merged.kept, []
    start = written = 0
    for part in scrubbed.parts:
        stop = start + len(part.item_ids)
        first, last = np.searchsorted(kept, [start, stop])
        table = pq.read_table(parts.items_file(folder, part.number)).take(pa.array(kept[first:last] - start))
        table = _finished(table, decided, slice(first, last))
        hashed = (table[name].to_pylist() for name in ("item_id", "price", "text"))
        hashes.append(content_hash(zip(*hashed, strict=True)))
        writers.write(table)
        start, written = stop, written + len(table)
        report(Step("Writing items", written, "items", written / len(kept)))
    writers.close()
    return hashes


def _categories_by_size(scrubbed: Scrubbed, merged: Merged) -> list[str]:
    of_item = [category for part in scrubbed.parts for category in part.item_categories]
    counts = Counter(of_item[place] for place in merged.kept)
    return sorted(counts, key=lambda category: (-counts[category], category))


def _finished(table: pa.Table, decided: Decided, places: slice) -> pa.Table:
    """Give a part of the kept items the columns that only all items together decide."""
    prices = decided.merged.prices[places]
    columns = {
        "group": decided.groups[places],
        "role": np.array(ROLES)[decided.roles.role[places]],
        "price": prices,
        "price_spread": decided.merged.spreads[places],
        "slot": np.rint(prices).astype(np.int16),
    }
    arrays = [pa.array(columns[name]) if name in columns else table[name] for name in ITEM_SCHEMA.names]
    return pa.Table.from_arrays(arrays, names=ITEM_SCHEMA.names).cast(ITEM_SCHEMA)


class _CategoryWriters:
    """One Parquet file for each category, filled in row groups of 8,192 items."""

    def __init__(self, folder: Path, categories: list[str]):
        folder.mkdir()
        self._folder = folder
        self._categories = categories
        self._file_of = {category: min(place, _MOST_FILES - 1) for place, category in enumerate(categories)}
        self._waiting: dict[int, list[pa.Table]] = {}
        self._writers: dict[int, pq.ParquetWriter] = {}

    def write(self, table: pa.Table) -> None:
        files = np.array([self._file_of[category] for category in table["category"].to_pylist()], dtype=np.int64)
        for file in np.unique(files):
            waiting = self._waiting.setdefault(int(file), [])
            waiting.append(table.filter(pa.array(files == file)))
            if sum(map(len, waiting)) >= _ROW_GROUP:
                self._flush(int(file))

    def _flush(self, file: int) -> None:
        if file not in self._writers:
            words = re.sub(r"[^A-Za-z0-9]+", "_", self._categories[file])[:40]
            path = self._folder / f"{file:03d}-{words}.parquet"
            self._writers[file] = pq.ParquetWriter(path, ITEM_SCHEMA, compression="zstd")
        self._writers[file].write_table(pa.concat_tables(self._waiting.pop(file)), row_group_size=_ROW_GROUP)

    def close(self) -> None:
        for file in list(self._waiting):
            self._flush(file)
        for writer in self._writers.values():
            writer.close()


def _write_duplicates(folder: Path, scrubbed: Scrubbed, merged: Merged) -> None:
    dropped = np.flatnonzero(merged.kept_for != np.arange(len(merged.kept_for)))
    table = pa.table(
        {
            "row_number": pa.array(scrubbed.rows[dropped], pa.int64()),
            "duplicate_of": pa.array(scrubbed.ids[merged.kept_for[dropped]], pa.string()),
        }
    )
    pq.write_table(table, folder / "duplicates.parquet")


def _write_exam(folder: Path, scrubbed: Scrubbed, decided: Decided) -> pa.Table:
    roles, kept = decided.roles, decided.merged.kept
    places = np.flatnonzero(roles.role == EXAM)
    natural, balanced = roles.natural_rank[places], roles.balanced_rank[places]
    table = pa.table(
        {
            "item_id": pa.array(scrubbed.ids[kept[places]], pa.string()),
            "key": pa.array(scrubbed.keys[kept[places]]),
            "price": pa.array(decided.merged.prices[places]),
            "natural": pa.array(natural >= 0),
            "balanced": pa.array(balanced >= 0),
            "natural_rank": pa.array(natural, mask=natural < 0),
            "balanced_rank": pa.array(balanced, mask=balanced < 0),
        }
    ).sort_by("item_id")
    pq.write_table(table, folder / "exam.parquet")
    return table


# The manifest


def _manifest(
    name: str, rules: Rules, why: str, scrubbed: Scrubbed, decided: Decided, exam: pa.Table, hash_of_items: str
) -> Manifest:
    by_category = _by_category(scrubbed, decided.merged)
    prices, roles = decided.merged.prices, decided.roles
    return Manifest(
        name=name,
        version=1,
        created=datetime.now(UTC),
        pricer_version=pricer.__version__,
        rules=rules,
        rules_reason=why,
        sources=scrubbed.sources,
        generated=any(part.generated for part in scrubbed.parts),
        rows=sum(count.rows for count in by_category),
        items=len(prices),
        duplicates=sum(count.duplicates for count in by_category),
        rejections=_summed(count.rejections for count in by_category),
        by_category=by_category,
        exam=roles.count(EXAM),
        validation=roles.count(VALIDATION),
        sealed=roles.count(SEALED),
        pool=roles.count(POOL),
        natural=int((roles.natural_rank >= 0).sum()),
        balanced=int((roles.balanced_rank >= 0).sum()),
        exam_hash=exam_hash(zip(exam["item_id"].to_pylist(), exam["price"].to_pylist(), strict=True)),
        content_hash=hash_of_items,
        price_mean=float(prices.mean()),
        price_median=float(np.median(prices)),
        tokens_mean=float(scrubbed.all("item_tokens")[decided.merged.kept].mean()),
        histograms=Histograms(
            prices=_binned(parts.PRICE_BINS, [part.prices for part in scrubbed.parts]),
            characters=_binned(parts.CHARACTER_BINS, [part.characters for part in scrubbed.parts]),
            tokens=_binned(parts.TOKEN_BINS, [part.tokens for part in scrubbed.parts]),
            slots=np.bincount(np.rint(prices).astype(np.int64), minlength=SLOT_COUNT).tolist(),
        ),
        seconds=0.0,
    )


def _by_category(scrubbed: Scrubbed, merged: Merged) -> list[CategoryCount]:
    outcomes: Counter = sum((part.outcomes for part in scrubbed.parts), Counter())
    of_item = [category for part in scrubbed.parts for category in part.item_categories]
    kept = Counter(of_item[place] for place in merged.kept)
    counts = []
    for category in {category for category, _ in outcomes}:
        of_category = {outcome: count for (name, outcome), count in outcomes.items() if name == category}
        candidates = of_category.pop("item", 0)
        counts.append(
            CategoryCount(
                category=category,
                rows=candidates + sum(of_category.values()),
                items=kept[category],
                duplicates=candidates - kept[category],
                rejections={reason: of_category[reason] for reason in REASONS if reason in of_category},
                seconds=round(scrubbed.seconds[category], 3),
            )
        )
    return sorted(counts, key=lambda count: (-count.items, count.category))


def _summed(rejections) -> dict[str, int]:
    total = sum((Counter(of_category) for of_category in rejections), Counter())
    return {reason: total[reason] for reason in REASONS if total[reason]}


def _binned(bins: tuple[int, int], counts: list[np.ndarray]) -> Binned:
    total = np.sum(counts, axis=0)
    return Binned(width=bins[0], counts=total[:-1].tolist(), beyond=int(total[-1]))


def publish_catalogue(folder: Path, manifest: Manifest, started: float) -> Catalogue:
    """Give the folder the next free version of its name, unless an earlier attempt at the same job has made one."""
    checkpoints = settings.checkpoints_folder()
    job_id = checkpoints.parent.name if checkpoints else None
    if made := made_by(job_id, manifest.name):
        return made
    versions = settings.catalogues_folder() / manifest.name
    while True:
        taken = [int(path.name) for path in versions.iterdir() if path.name.isdecimal()] if versions.is_dir() else []
        version = max(taken, default=0) + 1
        facts = {"version": version, "seconds": round(time.monotonic() - started, 2), "job_id": job_id}
        final = manifest.model_copy(update=facts)
        write_whole(folder / MANIFEST, final.model_dump_json(indent=1))
        if publish(folder, versions / str(version)):
            return Catalogue(versions / str(version))
