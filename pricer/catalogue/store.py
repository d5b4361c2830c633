"""Catalogues on disk: what a manifest says, and reading a catalogue's tables without holding them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from pricer import settings
from pricer.catalogue.scrub import UNPRICED, Rules
from pricer.errors import PricerError

MANIFEST = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Record):
    """A file that was read."""

    name: str
    bytes: int
    rows: int
    complete: bool
    note: str
    origin: str = ""  # where on the hub it came from, to the commit: "hub:OWNER/NAME/FILE@COMMIT"
    download_seconds: float = 0.0


class CategoryCount(_Record):
    """What became of one category's rows: rows = items + rejections + duplicates."""

    category: str
    rows: int
    items: int
    duplicates: int
    rejections: dict[str, int]
    seconds: float = 0.0  # that reading and scrubbing its rows took; their share of each block's time

    @property
    def priced(self) -> int:
        """Rows whose price is a number."""
        return self.rows - sum(self.rejections.get(reason, 0) for reason in UNPRICED)


class Binned(_Record):
    """Counts in bins of equal width from 0, and how many values lie beyond the last."""

    width: int
    counts: list[int]
    beyond: int


class Histograms(_Record):
    """What the rules measured, before they cut: of each row that reached the rule."""

    prices: Binned  # of rows whose price is a number
    characters: Binned  # of rows whose price is in range
    tokens: Binned  # of rows with characters enough
    slots: list[int]  # items in each slot, 0 to 999


class Rewriting(_Record):
    """By whom texts were rewritten, and how many: asked = rewritten + unusable + failed; the others keep theirs."""

    catalogue: str  # NAME@VERSION of the one that was rewritten
    provider: str
    model: str
    prompt_id: str
    asked: int
    rewritten: int
    unusable: int  # replies that are not what was asked for
    failed: int
    cost_dollars: float  # of the replies that were asked for it
    kept_dollars: float = 0.0  # that the others had cost before


class Manifest(_Record):
    """The counts of a load, written last: where it stands, the catalogue is whole."""

    schema_version: int = 1
    name: str
    version: int
    created: AwareDatetime
    pricer_version: str
    rules: Rules
    rules_reason: str
    currency: str = "$"
    sources: list[Source]
    generated: bool  # rows were made by Pricer's demo
    rows: int
    items: int
    duplicates: int
    rejections: dict[str, int]
    by_category: list[CategoryCount]
    exam: int
    validation: int
    sealed: int
    pool: int
    natural: int
    balanced: int
    exam_hash: str
    content_hash: str
    price_mean: float
    price_median: float
    tokens_mean: float
    histograms: Histograms
    seconds: float
    rewriting: Rewriting | None = None
    job_id: str | None = None  # the job that made it, or the one from whose checkpoints that one went on

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that have items, most items first; a category's code is its place here."""
        return tuple(count.category for count in self.by_category if count.items)


@dataclass(frozen=True)
class Catalogue:
    """One version of a catalogue: immutable, read lazily."""

    folder: Path

    @cached_property
    def manifest(self) -> Manifest:
        return Manifest.model_validate_json((self.folder / MANIFEST).read_bytes())

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def version(self) -> int:
        return self.manifest.version

    @property
    def label(self) -> str:
        """What opens this version again: the name alone, or NAME@VERSION where a newer one stands."""
        newest = max(_versions(self.folder.parent), default=self.version)
        return self.name if newest == self.version else f"{self.name}@{self.version}"

    def items(self) -> pl.LazyFrame:
        """All items, with the columns of `pricer.items.ITEM_SCHEMA`."""
        return pl.scan_parquet(self.folder / "items" / "*.parquet")

    def pool(self) -> pl.LazyFrame:
        return self.items().filter(pl.col("role") == "pool")

    def exam(self) -> pl.DataFrame:
        """The exam: item_id, key, price, natural and balanced (bool), natural_rank and balanced_rank (int or null)."""
        return pl.read_parquet(self.folder / "exam.parquet")

    def rows(self) -> pl.LazyFrame:
        """Every raw row: row_number, source, line, item_id, title, category, outcome, price, characters, tokens, raw.

        `outcome` is "item", "duplicate" or a reason of `pricer.catalogue.scrub.REASONS`; `duplicate_of` names the item
        that stands for a duplicate.
        """
        rows = pl.scan_parquet(self.folder / "rows" / "*.parquet")
        duplicates = pl.scan_parquet(self.folder / "duplicates.parquet")
        joined = rows.join(duplicates, on="row_number", how="left", maintain_order="left")
        duplicate = pl.col("duplicate_of").is_not_null()
        return joined.with_columns(pl.when(duplicate).then(pl.lit("duplicate")).otherwise("outcome").alias("outcome"))


def check_name(name: str) -> str:
    """Give the name back, or PricerError where it could not be a folder's everywhere."""
    if not _NAME.fullmatch(name):
        raise PricerError(f"a name has letters, digits, dots, dashes and underscores (at most 64), got {name!r}")
    return name


def list_catalogues() -> list[Catalogue]:
    """The newest version of every catalogue on this machine, the last made first."""
    folder = settings.catalogues_folder()
    names = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)] if folder.is_dir() else []
    newest = [Catalogue(path / str(max(_versions(path)))) for path in names if any(_versions(path))]
    return sorted(newest, key=lambda catalogue: catalogue.manifest.created, reverse=True)


def open_catalogue(label: str) -> Catalogue:
    """Open a catalogue by NAME (its newest version) or NAME@VERSION; PricerError where there is none."""
    name, _, version = label.partition("@")
    if not _NAME.fullmatch(name) or (version and not version.isdecimal()):
        raise PricerError(f"a catalogue is named NAME or NAME@VERSION, got {label!r}")
    versions = sorted(_versions(settings.catalogues_folder() / name))
    if not versions:
        known = ", ".join(catalogue.name for catalogue in list_catalogues()) or "none yet"
        raise PricerError(f"there is no catalogue {name!r}; catalogues on this machine: {known}")
    wanted = int(version) if version else versions[-1]
    if wanted not in versions:
        raise PricerError(f"catalogue {name!r} has no version {wanted}; it has {', '.join(map(str, versions))}")
    catalogue = Catalogue(settings.catalogues_folder() / name / str(wanted))
    try:
        catalogue.manifest  # noqa: B018 (read here, so that a damaged one is told at once)
    except ValidationError as error:
        raise PricerError(f"catalogue {label!r}: its manifest is damaged, or of another version of Pricer") from error
    return catalogue


def made_by(job_id: str | None, name: str) -> Catalogue | None:
    """The version of a catalogue that a job has made; None where it has made none yet, or there is no job."""
    folder = settings.catalogues_folder() / name
    versions = [Catalogue(folder / str(version)) for version in _versions(folder)] if job_id else []
    return next((each for each in versions if each.manifest.job_id == job_id), None)


def _versions(folder: Path) -> Iterator[int]:
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name.isdecimal() and (path / MANIFEST).is_file():
                yield int(path.name)
