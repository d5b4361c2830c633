"""A dataset: a recipe carried out on a catalogue, with the catalogue's own validation and exam, whole or not at all."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

import pricer
from pricer import settings
from pricer.catalogue.store import MANIFEST, Catalogue, check_name
from pricer.curation.card import write_card
from pricer.curation.index import open_index
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import Plan, in_sample, make_plan
from pricer.errors import PricerError
from pricer.files import publish, staged_folder, write_whole
from pricer.items import ITEM_SCHEMA, SLOT_COUNT, content_hash, merge_hashes
from pricer.progress import Report, Step, silent

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
_ROW_GROUP = 8192  # items that are held at once: about 32 MB of them


class CategoryShare(BaseModel):
    """How many items of a category the pool's slots 1 to 999 hold, and how many of them train has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: str
    before: int
    after: int


class DatasetManifest(BaseModel):
    """What a dataset is; its JSON is the last file to be written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    id: str  # 16 hex digits, see dataset_id
    name: str
    created: AwareDatetime
    pricer_version: str
    catalogue_name: str
    catalogue_version: int
    catalogue_hash: str  # content hash of all its items
    sources: list[str]  # the files that the catalogue was made of
    generated: bool
    currency: str
    recipe: Recipe
    recipe_id: str
    train: int
    validation: int
    exam: int
    natural: int
    balanced: int
    content_hash: str  # of train
    exam_hash: str
    price_mean: float  # of train, as everything below unless it says otherwise
    price_median: int  # whole dollars
    tokens_mean: float
    validation_price_mean: float | None
    exam_price_mean: float | None
    market_size: int  # items that could have been sampled
    market_price_mean: float
    market_price_median: int
    price_distance: float
    category_distance: float
    capped_slots: int
    categories: list[CategoryShare]
    seconds: float


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk: immutable, read lazily."""

    folder: Path

    @cached_property
    def manifest(self) -> DatasetManifest:
        return DatasetManifest.model_validate_json((self.folder / MANIFEST).read_bytes())

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def card(self) -> str:
        """What it is and how it was made, as Markdown."""
        return (self.folder / "card.md").read_text(encoding="utf-8")

    def train(self) -> pl.LazyFrame:
        """The sampled items, with the columns of `pricer.items.ITEM_SCHEMA`, in the catalogue's order."""
        return pl.scan_parquet(self.folder / "train.parquet")

    def validation(self) -> pl.LazyFrame:
        return pl.scan_parquet(self.folder / "validation.parquet")

    def exam(self) -> pl.LazyFrame:
        """The exam's items, and natural, balanced (bool), natural_rank, balanced_rank (int or null)."""
        return pl.scan_parquet(self.folder / "exam.parquet")

    def slots(self) -> dict[str, np.ndarray]:
        """Items in each slot (1000) of train, validation and exam."""
        parts = {part: pl.scan_parquet(self.folder / f"{part}.parquet").select("slot").collect() for part in PARTS}
        return {part: np.bincount(table["slot"].to_numpy(), minlength=SLOT_COUNT) for part, table in parts.items()}


def list_datasets() -> list[Dataset]:
    """The datasets on this machine, the last made first."""
    manifests = settings.datasets_folder().glob(f"[!.]*/{MANIFEST}")
    return sorted((_opened(path.parent) for path in manifests), key=lambda d: d.manifest.created, reverse=True)


def open_dataset(label: str) -> Dataset:
    """Open a dataset by name or id; PricerError where there is none."""
    datasets = list_datasets()
    for dataset in datasets:
        if label in (dataset.name, dataset.id):
            return dataset
    known = ", ".join(dataset.name for dataset in datasets) or "none yet"
    raise PricerError(f"there is no dataset {label!r}; datasets on this machine: {known}")


def _opened(folder: Path) -> Dataset:
    dataset = Dataset(folder)
    try:
        dataset.manifest  # noqa: B018 (read here, so that a damaged one is told at once)
    except (ValidationError, PricerError) as error:
        raise PricerError(f"{folder / MANIFEST} is damaged, or of another version of Pricer; move it away") from error
    return dataset


def dataset_id(name: str, catalogue_hash: str, recipe: Recipe) -> str:
    """16 hex digits of the SHA-256 of [name, content hash of the catalogue, id of the recipe] as JSON."""
    return hashlib.sha256(orjson.dumps([name, catalogue_hash, recipe.id])).hexdigest()[:16]


def make_dataset(catalogue: Catalogue, recipe: Recipe, name: str, report: Report = silent) -> Dataset:
    """Carry a recipe out, item by item, holding a few thousand of them at a time.

    The same name, catalogue and recipe give the dataset that is there already. PricerError where another has the name,
    where the recipe keeps nothing, or where what is written is not what the plan says.
    """
    started = time.monotonic()
    identifier = dataset_id(check_name(name), catalogue.manifest.content_hash, recipe)
    destination = settings.datasets_folder() / identifier
    if destination.is_dir():
        return _opened(destination)
    _check_name_is_free(name)
    report(Step("Planning", 0, "items"))
    plan = make_plan(open_index(catalogue, recipe.seed), recipe)
    if not plan.size:
        raise PricerError(
            f"the recipe keeps none of the {plan.market_size:,} items that {catalogue.label} has to sample"
        )
    with staged_folder(settings.datasets_folder()) as folder:
        written = _write_parts(catalogue, plan, folder, report)
        manifest = _manifest(identifier, name, catalogue, plan, written, time.monotonic() - started)
        write_whole(folder / "card.md", write_card(manifest))
        write_whole(folder / MANIFEST, manifest.model_dump_json(indent=1))
        _check_name_is_free(name, but_for=identifier)
        publish(folder, destination)
    return _opened(destination)


def _check_name_is_free(name: str, but_for: str = "") -> None:
    for dataset in list_datasets():
        if dataset.name == name and dataset.id != but_for:
            raise PricerError(
                f"there is already a dataset {name!r} with another recipe or catalogue; "
                f"take another name, or delete {dataset.folder}"
            )


# Carrying out


@dataclass(frozen=True)
class _Written:
    """What went into the files."""

    counts: np.ndarray  # items of train by slot and category
    hashes: list[str]  # content hashes of train's pieces
    validation: pa.Table
    exam: pa.Table


def _write_parts(catalogue: Catalogue, plan: Plan, folder: Path, report: Report) -> _Written:
    """Read the catalogue's items once and write train.parquet, validation.parquet and exam.parquet."""
    counts, hashes, read = np.zeros_like(plan.counts), [], 0
    others: dict[str, list[pa.Table]] = {"validation": [], "exam": []}
    with _RowGroups(folder / "train.parquet") as train:
        for piece in _pieces(catalogue):
            sample = _sampled(piece, plan, counts)
            train.write(sample)
            hashes.append(_content_hash(sample))
            for role, tables in others.items():
                tables.append(piece.filter(pc.equal(piece["role"], role)))
            read += len(piece)
            report(Step("Sampling", read, "items", read / catalogue.manifest.items))
    validation, exam = (pa.concat_tables(tables) for tables in others.values())
    written = _Written(counts, hashes, validation, _with_ranks(exam, catalogue.exam()))
    _check_sizes(catalogue, written, plan)
    pq.write_table(written.validation, folder / "validation.parquet", compression="zstd", row_group_size=_ROW_GROUP)
    pq.write_table(written.exam, folder / "exam.parquet", compression="zstd", row_group_size=_ROW_GROUP)
    return written


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


def _content_hash(table: pa.Table) -> str:
    return content_hash(zip(*(table[name].to_pylist() for name in ("item_id", "price", "text")), strict=True))


def _with_ranks(items: pa.Table, exam: pl.DataFrame) -> pa.Table:
    """The exam's items, by item_id as in the catalogue's exam file, with its flags and ranks."""
    ranks = exam.select("item_id", "natural", "balanced", "natural_rank", "balanced_rank")
    return pl.from_arrow(items).join(ranks, on="item_id").sort("item_id").to_arrow().cast(EXAM_SCHEMA)


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


def _check_sizes(catalogue: Catalogue, written: _Written, plan: Plan) -> None:
    """PricerError unless every slot and category of train is as planned, and the other parts are as loaded."""
    manifest = catalogue.manifest
    got = (int(written.counts.sum()), len(written.validation), len(written.exam))
    expected = (plan.size, manifest.validation, manifest.exam)
    if got != expected or not np.array_equal(written.counts, plan.counts):
        raise PricerError(
            f"the files of {catalogue.label} gave {got} items to train, validation and exam, where {expected} were "
            "expected: they were changed since the catalogue was made; load it again"
        )


# Telling


def _manifest(
    identifier: str, name: str, catalogue: Catalogue, plan: Plan, written: _Written, seconds: float
) -> DatasetManifest:
    made_from = catalogue.manifest
    return DatasetManifest(
        id=identifier,
        name=name,
        created=datetime.now(UTC),
        pricer_version=pricer.__version__,
        catalogue_name=made_from.name,
        catalogue_version=made_from.version,
        catalogue_hash=made_from.content_hash,
        sources=[source.name for source in made_from.sources],
        generated=made_from.generated,
        currency=made_from.currency,
        recipe=plan.recipe,
        recipe_id=plan.recipe.id,
        train=plan.size,
        validation=made_from.validation,
        exam=made_from.exam,
        natural=made_from.natural,
        balanced=made_from.balanced,
        content_hash=merge_hashes(written.hashes),
        exam_hash=made_from.exam_hash,
        price_mean=plan.price_mean,
        price_median=plan.price_median,
        tokens_mean=plan.tokens_mean,
        validation_price_mean=pc.mean(written.validation["price"]).as_py(),
        exam_price_mean=pc.mean(written.exam["price"]).as_py(),
        market_size=plan.market_size,
        market_price_mean=plan.market_price_mean,
        market_price_median=plan.market_price_median,
        price_distance=plan.price_distance,
        category_distance=plan.category_distance,
        capped_slots=plan.capped_slots,
        categories=[
            CategoryShare(category=category, before=before, after=after)
            for category, before, after, *_ in plan.shares().rows()
        ],
        seconds=round(seconds, 2),
    )
