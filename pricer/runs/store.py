"""Runs: one model fitted on one dataset and graded on its exam, as a folder of files and a row of the record."""

import hashlib
import json
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator
from sqlalchemy import insert, select, update

from pricer import database, settings
from pricer.catalogue.store import MANIFEST
from pricer.curation.dataset import Dataset, Split, open_dataset
from pricer.errors import PricerError
from pricer.evaluation.errors import GradedRun, Reading, asked, point_metrics
from pricer.evaluation.ranges import read_point
from pricer.evaluation.scoring import DEFAULT, Scoring, scored
from pricer.models import Model, Value, load
from pricer.runs.jobs import check_attempt

GUESSES = "guesses.parquet"
DISTRIBUTION = "distribution.npy"  # of a model that gives one: float16 (guesses, 1000) over slots 0 to 999
VALIDATION = "validation.parquet"  # item_id and guess of the dataset's validation; not of imported guesses
VALIDATION_DISTRIBUTION = "validation-distribution.npy"  # of a model that gives one: float16 (rows of it, 1000)
MODEL = "model"
IMPORTED = "imported"  # what stands for the model of guesses that were made elsewhere
MOST_TAGS = 20
LONGEST_NOTE = 2_000  # characters
_TAG = re.compile(r"[\w.-]{1,30}")
_EXAM_COLUMNS = (
    "item_id", "price", "group", "category", "title", "natural_rank", "balanced_rank",
    "store", "characters", "weight_pounds", "rank",
)  # fmt: skip


class RunManifest(BaseModel):
    """Everything that a run's figures depend on."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    schema_version: int = 1
    id: str
    name: str
    model: str  # as `find_kind` knows it
    family: str
    model_settings: dict[str, Value]
    seed: int
    dataset_id: str
    dataset_name: str
    dataset_hash: str  # content hash of its train
    catalogue_name: str
    catalogue_version: int
    catalogue_hash: str
    exam_hash: str
    split: Split = "roles"  # "naive": the exam is the dataset's own, and may leak
    of: tuple[str, ...] = ()  # ids of the runs that a stack weighs
    asked: str  # "natural", "balanced" or "both"
    first_k: int | None  # of each exam asked; None means all
    asked_items: int
    first_n: int | None
    train_items: int
    train_median: float  # dollars; what a no-answer is scored as
    fit_seconds: float | None  # None where nobody measured it here: guesses that were imported
    guess_seconds: float | None
    cost_dollars: float | None
    created: AwareDatetime
    pricer_version: str
    code_version: str
    generated: bool
    job_id: str | None
    extends: str | None = None  # id of the run whose model and first answers these are

    @model_validator(mode="before")
    @classmethod
    def _forget_what_nobody_measured(cls, facts: dict) -> dict:
        """Imported guesses of early versions were written down as if they had taken no time and no money."""
        unknown = ("fit_seconds", "guess_seconds", "cost_dollars")
        return facts | dict.fromkeys(unknown) if facts.get("model") == IMPORTED else facts


@dataclass(frozen=True)
class Run:
    """A row of the record; its figures are computed from the guesses in its folder.

    What people write beside it, tags and a note, can change; everything else never does.
    """

    manifest: RunManifest
    tags: tuple[str, ...] = field(default=(), compare=False)
    note: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        return self.manifest.id

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def created(self) -> datetime:
        return self.manifest.created

    @property
    def folder(self) -> Path:
        return settings.runs_folder() / self.id

    @property
    def reading(self) -> Reading:
        """The exam that it was asked; natural where it was asked both."""
        return "balanced" if self.manifest.asked == "balanced" else "natural"

    def dataset(self) -> Dataset:
        return open_dataset(self.manifest.dataset_id)

    def guesses(self) -> pl.DataFrame:
        """item_id, guess (dollars or null), status, low, high, seconds, cost_dollars, raw_answer."""
        return pl.read_parquet(self.folder / GUESSES)

    def distribution(self) -> np.ndarray | None:
        """How likely each slot is for each guess, in their order: float16 (guesses, 1000), read as it is needed."""
        path = self.folder / DISTRIBUTION
        return np.load(path, mmap_mode="r", allow_pickle=False) if path.is_file() else None

    def validation_guesses(self) -> pl.DataFrame | None:
        """What its model guessed of the dataset's validation: item_id, price, guess, category; None if not kept."""
        path = self.folder / VALIDATION
        if not path.is_file():
            return None
        items = self.dataset().validation().select("item_id", "price", "category").collect()
        return items.join(pl.read_parquet(path), on="item_id", how="inner", maintain_order="left")

    def validation_distribution(self) -> np.ndarray | None:
        """How likely each slot is for each guess of validation, in the order of `VALIDATION`: float16 (items, 1000)."""
        path = self.folder / VALIDATION_DISTRIBUTION
        return np.load(path, mmap_mode="r", allow_pickle=False) if path.is_file() else None

    def natural_rank(self) -> pl.Expr:
        """The rank of an exam's items in the natural exam, null where the run was not asked for that.

        Of both exams' first k, the balanced one brings items of the natural exam beyond its first k, dear ones above
        all: with them it would be no random sample. (The other way round is fair: within a price band both exams have
        the same order.)
        """
        rank, k = pl.col("natural_rank"), self.manifest.first_k
        if self.manifest.asked == "balanced":
            return pl.when(pl.lit(False)).then(rank)
        return rank if k is None else pl.when(rank < k).then(rank)

    def graded(self, scoring: Scoring = DEFAULT) -> GradedRun:
        """The guesses beside the prices, as evaluation reads them; of a distribution the point that scoring names."""
        leaked = ("leaked",) if self.manifest.split == "naive" else ()
        exam = self.dataset().exam().select(*_EXAM_COLUMNS, *leaked).with_columns(self.natural_rank()).collect()
        guesses, chances = self.guesses().select("item_id", "guess", "status"), self.distribution()
        if chances is not None and scoring.point != "as guessed":
            guesses = guesses.with_columns(guess=pl.Series(read_point(chances, scoring.point, scoring.quantile)))
        table = guesses.join(exam, on="item_id", how="left", maintain_order="left")
        manifest = self.manifest
        return GradedRun(self.id, self.name, manifest.family, manifest.exam_hash, manifest.train_median, table)

    def model(self) -> Model:
        """The fitted model."""
        return load(self.folder / MODEL)


def new_run_id(*of: str) -> str:
    """The id of a run that is made now; that of a job's run follows from the job, whichever attempt ends it."""
    job = settings.job_folder()
    return hashlib.sha256("\n".join((job.name, *of)).encode()).hexdigest()[:12] if job else secrets.token_hex(6)


def record_run(manifest: RunManifest) -> Run:
    """Add a run whose folder stands to the record; only then is it a row of the leaderboard.

    One that an earlier attempt at the same job has recorded is given back. PricerError in an attempt that is over, for
    its worker was lost, or someone has cancelled it.
    """
    columns = ("id", "name", "model", "family", "dataset_id", "dataset_name", "catalogue_name", "exam_hash", "job_id")
    row = {name: getattr(manifest, name) for name in columns}
    runs = database.runs
    with database.engine().begin() as connection:
        recorded = connection.execute(select(runs.c.manifest).where(runs.c.id == manifest.id)).scalar()
        if recorded:
            return Run(RunManifest.model_validate_json(recorded))
        check_attempt(connection, manifest.job_id)
        connection.execute(insert(runs).values(**row, manifest=manifest.model_dump_json(), created_at=manifest.created))
    return Run(manifest)


def list_runs(deleted: bool = False) -> list[Run]:
    """Every run that was recorded and not deleted, the last first; the deleted ones instead, if asked."""
    runs = database.runs.c
    wanted = select(runs.manifest, runs.tags, runs.note).order_by(runs.created_at.desc())
    with database.engine().begin() as connection:
        is_deleted = runs.deleted_at.is_not(None) if deleted else runs.deleted_at.is_(None)
        rows = connection.execute(wanted.where(is_deleted)).all()
    return [Run(RunManifest.model_validate_json(row.manifest), tuple(row.tags.split()), row.note) for row in rows]


def errors_of(runs: Sequence[Run]) -> dict[str, float | None]:
    """The error of each run by its id, in dollars, of all that it was asked of its exam: a figure without interval.

    Each exam is read once. None where a run has no answers in its reading, or its dataset is gone.
    """
    errors: dict[str, float | None] = dict.fromkeys(run.id for run in runs)
    of_dataset: dict[str, list[Run]] = {}
    for run in runs:
        of_dataset.setdefault(run.manifest.dataset_id, []).append(run)
    for together in of_dataset.values():
        with suppress(PricerError):  # the dataset is gone
            exam = together[0].dataset().exam().select("item_id", "price", "natural_rank", "balanced_rank").collect()
            for run in together:
                guesses = pl.read_parquet(run.folder / GUESSES, columns=["item_id", "guess", "status"])
                graded = guesses.join(exam, on="item_id", how="inner").with_columns(run.natural_rank())
                table = asked(graded, run.reading)
                errors[run.id] = point_metrics(scored(table, run.manifest.train_median), run.reading).error
    return errors


def names_of(runs: Sequence[Run]) -> dict[str, str]:
    """The names of runs by id, with the id's end where two are alike."""
    often = Counter(run.name for run in runs)
    return {run.id: run.name if often[run.name] == 1 else f"{run.name}, {run.id[-4:]}" for run in runs}


def open_run(label: str) -> Run:
    """A run by its id, or the last one of that name; PricerError where there is none."""
    runs = list_runs()
    for run in runs:
        if label in (run.id, run.name):
            return run
    known = ", ".join(f"{run.name} ({run.id})" for run in runs[:10]) or "none yet"
    raise PricerError(f"there is no run {label!r}; runs on this machine: {known}")


def set_tags(run: Run, tags: Sequence[str]) -> None:
    """Give a run these tags instead of those that it had: words in lower case, each once, sorted.

    PricerError for one that is no word of letters, digits, `-`, `_` and `.`, or for too many.
    """
    words = sorted({tag.strip().lower() for tag in tags} - {""})
    for word in words:
        if not _TAG.fullmatch(word):
            raise PricerError(f"a tag is a word of up to 30 letters, digits, -, _ and ., got {word!r}")
    if len(words) > MOST_TAGS:
        raise PricerError(f"a run has up to {MOST_TAGS} tags, got {len(words)}")
    _change(run.id, tags=" ".join(words))


def set_note(run: Run, note: str) -> None:
    """Write a note beside a run instead of the one that it had; PricerError where it is too long."""
    if len(note) > LONGEST_NOTE:
        raise PricerError(f"a note has up to {LONGEST_NOTE:,} characters, got {len(note):,}")
    _change(run.id, note=note.strip())


def set_deleted(run_id: str, deleted: bool) -> None:
    """Take a run out of every list, or bring it back; its folder stays."""
    _change(run_id, deleted_at=datetime.now(UTC) if deleted else None)


def _change(run_id: str, **values: str | datetime | None) -> None:
    """Write what may change of a run; PricerError if there is none with this id."""
    changed = update(database.runs).where(database.runs.c.id == run_id).values(**values)
    with database.engine().begin() as connection:
        if not connection.execute(changed).rowcount:
            raise PricerError(f"there is no run {run_id!r}")


def read_manifest(folder: Path) -> RunManifest:
    """The manifest of a run's folder, which is written last; so the folder is whole."""
    return RunManifest.model_validate_json((folder / MANIFEST).read_bytes())


def write_manifest(folder: Path, manifest: RunManifest) -> None:
    (folder / MANIFEST).write_text(json.dumps(json.loads(manifest.model_dump_json()), indent=1), encoding="utf-8")
