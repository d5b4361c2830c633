"""A dataset as a folder that anyone can load: the splits, the items, the card with its pictures, and what proves it.

data/train-00000-of-00002.parquet …   validation, test    in the columns of one of the notebooks' editions
items.parquet                                             item_id, text, role, exact price (unless withheld), …
README.md  pictures/*.svg  recipe.yaml
manifest.json                                             hashes; written last
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from pricer.catalogue.store import Catalogue, open_catalogue
from pricer.curation.dataset import Dataset
from pricer.curation.recipe_file import RecipeFile, write_recipe_file
from pricer.errors import PricerError
from pricer.files import publish, staged_beside, write_whole
from pricer.items import SLOT_COUNT, content_hash, merge_hashes
from pricer.progress import Report, Step, silent
from pricer.publish import card, pictures
from pricer.publish.forms import SPLITS, Options, check_licence, in_edition

MANIFEST, ITEMS = "manifest.json", "items.parquet"
ROWS_A_FILE = 100_000
_ROW_GROUP = 8192
_RANKS = ("natural_rank", "balanced_rank")
ITEMS_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("text", pa.string()),
        ("role", pa.string()),  # train, validation or exam
        ("price", pa.float64()),  # null where it is withheld
        ("category", pa.string()),
        ("title", pa.string()),
        ("natural_rank", pa.int32()),  # of exam items; null outside that exam
        ("balanced_rank", pa.int32()),
    ]
)


class PublishedManifest(BaseModel):
    """What proves a published set whole: the last file to be written, and of a pushed one part of its one commit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    made_by: Literal["pricer"] = "pricer"
    schema_version: Literal[1] = 1
    name: str
    dataset_id: str
    recipe_id: str
    split: Literal["roles", "naive"]
    generated: bool
    options: Options
    items: dict[str, int]  # by split
    content_hashes: dict[str, str]  # by split, where its prices are published
    exam_hash: str
    catalogue_hash: str
    files: dict[str, str]  # SHA-256 by path, of all files but this one


@dataclass(frozen=True)
class PublishedFolder:
    folder: Path
    manifest: PublishedManifest
    bytes: int


def read_manifest(content: bytes) -> PublishedManifest | None:
    """A published set's manifest; None where this is none, or one of another version of Pricer."""
    try:
        return PublishedManifest.model_validate_json(content)
    except ValidationError:
        return None


def estimated_bytes(dataset: Dataset) -> int:
    """About how large the published folder will be: text twice, and what Parquet saves of it."""
    files = [dataset.folder / f"{part}.parquet" for part in SPLITS]
    return int(sum(file.stat().st_size for file in files) * 0.9) + 100_000


def catalogue_of(dataset: Dataset) -> Catalogue | None:
    """The catalogue that a dataset was made of; None if it is gone."""
    made = dataset.manifest
    try:
        catalogue = open_catalogue(f"{made.catalogue_name}@{made.catalogue_version}")
    except PricerError:
        return None
    return catalogue if catalogue.manifest.content_hash == made.catalogue_hash else None


def publish_to_folder(dataset: Dataset, options: Options, folder: Path, report: Report = silent) -> PublishedFolder:
    """Write a dataset as a published set; PricerError where something else stands there."""
    check_licence(options.licence)
    if folder.exists():
        return _standing(dataset, options, folder)
    try:
        with staged_beside(folder.parent) as staging:
            written = write_set(dataset, options, staging, f"./{folder.name}", report)
            publish(staging, folder)
    except OSError as error:
        raise PricerError(f"cannot write {folder}: {error.strerror or error}") from error
    return PublishedFolder(folder, written.manifest, written.bytes)


def _standing(dataset: Dataset, options: Options, folder: Path) -> PublishedFolder:
    """What stands there, if it is what would be written, to the last byte."""
    file = folder / MANIFEST
    found = read_manifest(file.read_bytes()) if file.is_file() else None
    if found is None or (found.dataset_id, found.options) != (dataset.id, options):
        raise PricerError(f"{folder} is there already and holds something else: take another name, or move it away")
    for name, digest in found.files.items():
        if not (folder / name).is_file() or sha256_of(folder / name) != digest:
            raise PricerError(f"{folder} is damaged: {name} is not what {MANIFEST} says; move it away, publish again")
    return PublishedFolder(folder, found, _size(folder))


def write_set(dataset: Dataset, options: Options, folder: Path, place: str, report: Report = silent) -> PublishedFolder:
    """Fill an empty folder with a published set; `place` is the name that the card loads it by."""
    made = dataset.manifest
    hashes = _write_items(dataset, options, folder, report)
    facts = _facts(dataset, options, place, hashes)
    write_whole(folder / "recipe.yaml", facts.recipe_yaml)
    write_whole(folder / "README.md", card.write_card(made, facts))
    for name, picture in draw_pictures(dataset).items():
        write_whole(folder / name, picture)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = PublishedManifest(
        name=made.name,
        dataset_id=made.id,
        recipe_id=made.recipe_id,
        split=made.split,
        generated=made.generated,
        options=options,
        items={split: getattr(made, part) for part, split in SPLITS.items()},
        content_hashes=hashes,
        exam_hash=made.exam_hash,
        catalogue_hash=made.catalogue_hash,
        files={path.relative_to(folder).as_posix(): sha256_of(path) for path in files},
    )
    write_whole(folder / MANIFEST, manifest.model_dump_json(indent=1))
    return PublishedFolder(folder, manifest, _size(folder))


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _write_items(dataset: Dataset, options: Options, folder: Path, report: Report) -> dict[str, str]:
    """Write the splits and items.parquet; give the content hash of each split whose prices are published."""
    (folder / "data").mkdir()
    made, hashes, done = dataset.manifest, {}, 0
    total = made.train + made.validation + made.exam
    with pq.ParquetWriter(folder / ITEMS, ITEMS_SCHEMA, compression="zstd") as items:
        for part, split in SPLITS.items():
            withheld = part == "exam" and not options.exam_prices
            parts, count = [], getattr(made, part)
            files = _Files(folder / "data", split, count)
            for table in _pieces(dataset.folder / f"{part}.parquet"):
                files.write(in_edition(table, part, options).to_arrow())
                items.write_table(_plain_items(table, part, withheld))
                parts.append(content_hash(table.select("item_id", "price", "text").iter_rows()))
                done += len(table)
                report(Step("Writing the set", done, "items", done / total))
            files.close()
            if not withheld:
                hashes[split] = merge_hashes(parts)
    return hashes


def _pieces(path: Path) -> Iterator[pl.DataFrame]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROW_GROUP):
            yield pl.from_arrow(pa.Table.from_batches([batch]))


def _plain_items(table: pl.DataFrame, part: str, withheld: bool) -> pa.Table:
    none = pl.lit(None)
    ranks = [pl.col(name) if name in table.columns else none.alias(name) for name in _RANKS]
    price = none.alias("price") if withheld else pl.col("price")
    chosen = table.select("item_id", "text", pl.lit(part).alias("role"), price, "category", "title", *ranks)
    return chosen.to_arrow().cast(ITEMS_SCHEMA)


class _Files:
    """The Parquet files of one split, full ones first."""

    def __init__(self, folder: Path, split: str, rows: int):
        self._folder, self._split = folder, split
        self._count = max(1, -(-rows // ROWS_A_FILE))
        self._number = self._filled = 0
        self._writer: pq.ParquetWriter | None = None

    def write(self, table: pa.Table) -> None:
        while len(table):
            if self._writer is None:
                path = self._folder / f"{self._split}-{self._number:05d}-of-{self._count:05d}.parquet"
                self._writer = pq.ParquetWriter(path, _without_large(table.schema), compression="zstd")
            piece = table.slice(0, ROWS_A_FILE - self._filled)
            self._writer.write_table(piece.cast(_without_large(piece.schema)))
            self._filled += len(piece)
            table = table.slice(len(piece))
            if self._filled == ROWS_A_FILE:
                self.close()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer, self._filled, self._number = None, 0, self._number + 1


def _without_large(schema: pa.Schema) -> pa.Schema:
    """Plain strings: every reader of Parquet has them."""
    large = (pa.large_string(), pa.string_view())
    return pa.schema([pa.field(f.name, pa.string() if f.type in large else f.type) for f in schema])


def preview_card(dataset: Dataset, options: Options, place: str) -> str:
    """The card as it would be written, without writing anything."""
    hashes = {SPLITS["train"]: dataset.manifest.content_hash}
    for part in ("validation", "exam") if options.exam_prices else ("validation",):
        items = getattr(dataset, part)().select("item_id", "price", "text").collect()
        hashes[SPLITS[part]] = content_hash(items.iter_rows())
    return card.write_card(dataset.manifest, _facts(dataset, options, place, hashes))


def draw_pictures(dataset: Dataset) -> dict[str, str]:
    """The card's pictures as SVG, by their place in the folder."""
    catalogue, before = catalogue_of(dataset), None
    if catalogue:
        slots = catalogue.pool().select("slot").collect(engine="streaming")["slot"].to_numpy()
        before = np.bincount(slots[slots > 0], minlength=SLOT_COUNT)
    categories = [(share.category, share.before, share.after) for share in dataset.manifest.categories]
    return {
        card.PRICES: pictures.price_picture(before, dataset.slots()["train"]),
        card.CATEGORIES: pictures.category_picture(categories),
    }


def _facts(dataset: Dataset, options: Options, place: str, hashes: dict[str, str]) -> card.Facts:
    made, catalogue = dataset.manifest, catalogue_of(dataset)
    recipe = write_recipe_file(RecipeFile(made.name, made.recipe, catalogue=made.catalogue_name))
    return card.Facts(options, hashes, place, catalogue.manifest if catalogue else None, recipe)
