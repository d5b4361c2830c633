"""A dataset: a recipe carried out on a catalogue, with the catalogue's own validation and exam, whole or not at all.

With `split="naive"` the sample is cut into train, validation and an exam of its own instead, as the notebooks did.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
import polars as pl
import pyarrow.compute as pc
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

import pricer
from pricer import settings
from pricer.catalogue.download import check_disk
from pricer.catalogue.store import MANIFEST, Catalogue, check_name
from pricer.curation.card import write_card
from pricer.curation.carrying_out import PARTS, Written, write_parts
from pricer.curation.index import open_index
from pricer.curation.naive import RULE, naive_split
from pricer.curation.recipe import Recipe
from pricer.curation.sampler import Plan, make_plan
from pricer.errors import PricerError
from pricer.files import publish, staged_folder, write_whole
from pricer.items import SLOT_COUNT
from pricer.progress import Report, Step, silent

Split = Literal["roles", "naive"]


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
    split: Split = "roles"
    split_rule: str = ""  # how a naive split's sizes were found
    leaked: int = 0  # exam items that have a near-duplicate in train; a split by roles has none
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
        """The exam's items, and natural, balanced (bool), natural_rank, balanced_rank (int or null).

        An exam of the dataset's own (a naive split) also has leaked (bool), and no balanced part.
        """
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


def dataset_id(name: str, catalogue_hash: str, recipe: Recipe, split: Split = "roles") -> str:
    """16 hex digits of the SHA-256 of [name, content hash of the catalogue, id of the recipe] as JSON.

    A naive split is a fourth word in it.
    """
    named = [name, catalogue_hash, recipe.id] + ([split] if split != "roles" else [])
    return hashlib.sha256(orjson.dumps(named)).hexdigest()[:16]


def make_dataset(
    catalogue: Catalogue, recipe: Recipe, name: str, report: Report = silent, split: Split = "roles"
) -> Dataset:
    """Carry a recipe out, item by item, holding a few thousand of them at a time.

    The same name, catalogue, recipe and split give the dataset that is there already. PricerError where another has the
    name, where the recipe keeps nothing, or where what is written is not what the plan says.
    """
    started = time.monotonic()
    identifier = dataset_id(check_name(name), catalogue.manifest.content_hash, recipe, split)
    destination = settings.datasets_folder() / identifier
    if destination.is_dir():
        return _opened(destination)
    _check_name_is_free(name)
    report(Step("Planning", 0, "items"))
    index = open_index(catalogue, recipe.seed)
    plan = make_plan(index, recipe)
    if not plan.size:
        raise PricerError(
            f"the recipe keeps none of the {plan.market_size:,} items that {catalogue.label} has to sample"
        )
    check_disk(settings.datasets_folder(), _bytes_of(catalogue, plan))
    naive = naive_split(index, plan) if split == "naive" else None
    with staged_folder(settings.datasets_folder()) as folder:
        written = write_parts(catalogue, plan, naive, folder, report)
        manifest = _manifest(identifier, name, catalogue, plan, written, time.monotonic() - started)
        write_whole(folder / "card.md", write_card(manifest))
        write_whole(folder / MANIFEST, manifest.model_dump_json(indent=1))
        _check_name_is_free(name, but_for=identifier)
        publish(folder, destination)
    return _opened(destination)


def _bytes_of(catalogue: Catalogue, plan: Plan) -> int:
    """About how many bytes the parts of a dataset will take: their items' share of the catalogue's."""
    whole, about = sum(file.stat().st_size for file in catalogue.folder.glob("items/*.parquet")), catalogue.manifest
    return whole * (plan.size + about.validation + about.exam) // max(1, about.items)


def _check_name_is_free(name: str, but_for: str = "") -> None:
    for dataset in list_datasets():
        if dataset.name == name and dataset.id != but_for:
            raise PricerError(
                f"there is already a dataset {name!r} with another recipe, split or catalogue; "
                f"take another name, or delete {dataset.folder}"
            )


def _manifest(
    identifier: str, name: str, catalogue: Catalogue, plan: Plan, written: Written, seconds: float
) -> DatasetManifest:
    made_from, train, exam = catalogue.manifest, written.train, written.exam
    naive = "leaked" in exam.column_names
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
        split="naive" if naive else "roles",
        split_rule=RULE if naive else "",
        leaked=pc.sum(exam["leaked"]).as_py() if naive else 0,
        train=train.size,
        validation=len(written.validation),
        exam=len(exam),
        natural=pc.sum(exam["natural"]).as_py() or 0,
        balanced=pc.sum(exam["balanced"]).as_py() or 0,
        content_hash=written.content_hash,
        exam_hash=written.exam_hash,
        price_mean=train.price_mean,
        price_median=train.price_median,
        tokens_mean=train.tokens_mean,
        validation_price_mean=pc.mean(written.validation["price"]).as_py(),
        exam_price_mean=pc.mean(exam["price"]).as_py(),
        market_size=plan.market_size,
        market_price_mean=plan.market_price_mean,
        market_price_median=plan.market_price_median,
        price_distance=train.price_distance,
        category_distance=train.category_distance,
        capped_slots=plan.capped_slots,
        categories=[
            CategoryShare(category=category, before=before, after=after)
            for category, before, after, *_ in train.shares().rows()
        ],
        seconds=round(seconds, 2),
    )
