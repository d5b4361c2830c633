"""Carry a plan out: read a catalogue once, a few thousand items at a time, and write train, validation and exam."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pricer.catalogue.store import Catalogue
from pricer.curation.naive import EXAM, TRAIN, VALIDATION, NaiveSplit, shuffle_numbers
from pricer.curation.sampler import Plan, in_sample
from pricer.errors import PricerError
from pricer.items import ITEM_SCHEMA, content_hash, exam_hash, merge_hashes
from pricer.progress import Report, Step

PARTS = ("train", "validation", "exam")
EXAM_SCHEMA = pa.schema(
    [
        *ITEM_SCHEMA,
        ("natural", pa.bool_()),
        ("balanced", pa.bool_()),
        ("natural_rank", pa.int32()),
        ("balanced_rank", pa.int32()),
    ]
)
OWN_EXAM_SCHEMA = EXAM_SCHEMA.append(pa.field("leaked", pa.bool_()))  # a near-duplicate of it is in train
_ROW_GROUP = 8192  # items that are held at once: about 32 MB of them


@dataclass(frozen=True)
class Written:
    """What went into the files."""

    train: Plan  # the plan as far as train goes
    validation: pa.Table
    exam: pa.Table
    content_hash: str  # of train
    exam_hash: str


def write_parts(catalogue: Catalogue, plan: Plan, naive: NaiveSplit | None, folder: Path, report: Report) -> Written:
    """Read the catalogue's items once and write train.parquet, validation.parquet and exam.parquet."""
    counts, hashes, read = np.zeros_like(plan.counts), [], 0
    others: dict[str, list[pa.Table]] = {"validation": [], "exam": []}
    with _RowGroups(folder / "train.parquet") as train:
        for piece in _pieces(catalogue):
            sample = _sampled(piece, plan, counts)
            parts = _by_shuffle(sample, naive) if naive else _by_role(sample, piece)
            train.write(parts["train"])
            hashes.append(_content_hash(parts["train"]))
            for name, tables in others.items():
                tables.append(parts[name])
            read += len(piece)
            report(Step("Sampling", read, "items", read / catalogue.manifest.items))
    validation, exam = (pa.concat_tables(tables) for tables in others.values())
    _check_sizes(catalogue, plan, naive, counts, len(validation), len(exam))
    if naive:
        items = pl.read_parquet(folder / "train.parquet", columns=["group", "slot", "category", "price", "tokens"])
        exam = _own_exam(exam, naive, items["group"])
        trained, digest = _of_train(plan, items), _exam_hash(exam)
    else:
        exam = _with_ranks(exam, catalogue.exam())
        trained, digest = plan, catalogue.manifest.exam_hash
    pq.write_table(validation, folder / "validation.parquet", compression="zstd", row_group_size=_ROW_GROUP)
    pq.write_table(exam, folder / "exam.parquet", compression="zstd", row_group_size=_ROW_GROUP)
    return Written(trained, validation, exam, merge_hashes(hashes), digest)


def _pieces(catalogue: Catalogue) -> Iterator[pa.Table]:
    """All items of a catalogue, a few thousand at a time."""
    for path in sorted((catalogue.folder / "items").glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROW_GROUP, columns=ITEM_SCHEMA.names):
                yield pa.Table.from_batches([batch]).cast(ITEM_SCHEMA)


def _sampled(table: pa.Table, plan: Plan, counts: np.ndarray) -> pa.Table:
    """The rows of a piece that are in the sample; they are added to the counts by slot and category."""
    table = table.filter(pc.equal(table["role"], "pool"))
    codes = pc.index_in(table["category"], value_set=pa.array(plan.categories, pa.string())).to_numpy()
    slots = table["slot"].to_numpy()
    kept = in_sample(table["key"].to_numpy(), slots, codes, plan)
    np.add.at(counts, (slots[kept], codes[kept]), 1)
    return table.filter(pa.array(kept))


def _by_role(sample: pa.Table, piece: pa.Table) -> dict[str, pa.Table]:
    """The sample is train; validation and exam are the catalogue's own."""
    return {"train": sample} | {role: piece.filter(pc.equal(piece["role"], role)) for role in ("validation", "exam")}


def _by_shuffle(sample: pa.Table, naive: NaiveSplit) -> dict[str, pa.Table]:
    """The sample cut in three."""
    parts, codes = naive.parts(sample["key"].to_numpy()), (TRAIN, VALIDATION, EXAM)
    return {name: sample.filter(pa.array(parts == code)) for name, code in zip(PARTS, codes, strict=True)}


def _of_train(plan: Plan, items: pl.DataFrame) -> Plan:
    """The plan of a sample as far as these items of it go."""
    codes = items["category"].cast(pl.Enum(plan.categories)).to_physical().to_numpy()
    cells = items["slot"].to_numpy().astype(np.int64) * len(plan.categories) + codes
    counts = np.bincount(cells, minlength=plan.counts.size).reshape(plan.counts.shape)
    return replace(plan, counts=counts, price_mean=items["price"].mean(), tokens_mean=items["tokens"].mean())


def _content_hash(table: pa.Table) -> str:
    return content_hash(zip(*(table[name].to_pylist() for name in ("item_id", "price", "text")), strict=True))


def _with_ranks(items: pa.Table, exam: pl.DataFrame) -> pa.Table:
    """The exam's items, by item_id as in the catalogue's exam file, with its flags and ranks."""
    ranks = exam.select("item_id", "natural", "balanced", "natural_rank", "balanced_rank")
    return pl.from_arrow(items).join(ranks, on="item_id").sort("item_id").to_arrow().cast(EXAM_SCHEMA)


def _own_exam(items: pa.Table, naive: NaiveSplit, train_groups: pl.Series) -> pa.Table:
    """The exam that a shuffle gave, by item_id, in the order of the shuffle, with what leaked into it."""
    exam = pl.from_arrow(items)
    order = pl.Series(shuffle_numbers(exam["key"].to_numpy(), naive.seed)).rank("ordinal") - 1
    flags = exam.with_columns(
        natural=True,
        balanced=False,
        natural_rank=order,
        balanced_rank=None,
        leaked=exam["group"].is_in(train_groups.unique().implode()),
    )
    return flags.sort("item_id").to_arrow().cast(OWN_EXAM_SCHEMA)


def _exam_hash(exam: pa.Table) -> str:
    return exam_hash(zip(exam["item_id"].to_pylist(), exam["price"].to_pylist(), strict=True))


class _RowGroups:
    """A Parquet file of items that is filled in full row groups, whatever comes in."""

    def __init__(self, path: Path):
        self._writer = pq.ParquetWriter(path, ITEM_SCHEMA, compression="zstd")
        self._waiting = ITEM_SCHEMA.empty_table()

    def write(self, table: pa.Table) -> None:
        self._waiting = pa.concat_tables([self._waiting, table])
        while len(self._waiting) >= _ROW_GROUP:
            self._writer.write_table(self._waiting.slice(0, _ROW_GROUP), row_group_size=_ROW_GROUP)
            self._waiting = self._waiting.slice(_ROW_GROUP)

    def __enter__(self) -> "_RowGroups":
        return self

    def __exit__(self, *_: object) -> None:
        if len(self._waiting):
            self._writer.write_table(self._waiting)
        self._writer.close()


def _check_sizes(
    catalogue: Catalogue, plan: Plan, naive: NaiveSplit | None, counts: np.ndarray, validation: int, exam: int
) -> None:
    """PricerError unless the sample is as planned in every slot and category, and the other parts have their sizes."""
    got = (int(counts.sum()), validation, exam)
    of_others = naive or catalogue.manifest
    expected = (plan.size, of_others.validation, of_others.exam)
    if got != expected or not np.array_equal(counts, plan.counts):
        raise PricerError(
            f"the files of {catalogue.label} gave {got} items to sample, validation and exam, where {expected} were "
            "expected: they were changed since the catalogue was made; load it again"
        )
