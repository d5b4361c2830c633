"""A run from beginning to end: fit a model on a dataset's train, ask it the exam, keep guesses and model, record it."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import psutil
import xxhash

import pricer
from pricer import settings
from pricer.curation.dataset import Dataset, open_dataset
from pricer.draws import draw
from pricer.errors import PricerError
from pricer.files import publish, staged_folder
from pricer.llm.local.bases import full_place
from pricer.llm.local.memory import PRECISION_WORDS
from pricer.models import Model, Value, in_words, make_model
from pricer.models.registry import find_kind
from pricer.progress import Report, Step, silent
from pricer.runs.asking import Asked, ask_exam, ask_validation, validation_table
from pricer.runs.curves import Curves, write_curves
from pricer.runs.kept import Kept
from pricer.runs.spending import check_spending, tokens_of
from pricer.runs.store import (
    DISTRIBUTION,
    GUESSES,
    MODEL,
    VALIDATION,
    VALIDATION_DISTRIBUTION,
    Run,
    RunManifest,
    new_run_id,
    read_manifest,
    record_run,
    write_manifest,
)

LONGEST_NAME = 80  # characters, of a run
FIRST_STREAM = xxhash.xxh3_64_intdigest(b"first")  # the order in which "the first n of train" are taken
_READS = ("text", "full_text")
PLACES = ("base", "adapter")  # settings that may name a folder


@dataclass(frozen=True)
class Order:
    """What to train and what to ask."""

    model: str
    dataset: str
    settings: dict[str, Value] = field(default_factory=dict)
    seed: int = 42
    first_n: int | None = None  # items of train, a random subset that grows with n; None means all
    asked: Literal["natural", "balanced", "both"] = "both"
    first_k: int | None = None  # items of each exam asked; None means all
    name: str | None = None
    of: tuple[str, ...] = ()  # the runs that a stack weighs; carried out by `pricer.runs.stacking`


def train_run(order: Order, report: Report = silent) -> Run:
    """Carry an order out and record the run.

    PricerError for an unknown model, dataset or setting, a number out of range, more memory than is free, or more
    money than the cap allows. A run that ends early leaves nothing; a job's next attempt goes on with the model and the
    guesses that the last one kept.
    """
    _check(order)
    order = replace(order, settings=_settled(order.settings))
    dataset = open_dataset(order.dataset)
    if order.asked == "balanced" and not dataset.manifest.balanced:
        raise PricerError(f"the exam of {dataset.name!r} has no balanced part; ask the natural one")
    model = make_model(order.model, order.seed, **order.settings)
    check_memory(order, trained_on(order, dataset))
    exam = read_exam(dataset, order)
    check_spending(order.model, len(exam), order.settings, tokens_of(dataset))
    train = read_train(dataset, order.model, order.first_n)
    validation = _read(dataset.validation(), order.model)
    kept = Kept(asdict(order), dataset.id, dataset.manifest.content_hash, code_version())
    model, fit_seconds, curves = kept.fitted() or _fit(model, train, validation, kept, report)
    asked = ask_exam(model, exam, float(train["price"].median()), report, kept)
    if find_kind(order.model).asks_validation:
        validation = _some(validation, validation_asked(order, len(exam), dataset), dataset)
        guesses, chances = ask_validation(model, validation, "Guessing validation", report)
        asked = replace(asked, validation=validation_table(validation, guesses), validation_distribution=chances)
    asked = replace(asked, curves=curves)
    return keep_run(make_manifest(order, dataset, train, asked, fit_seconds), asked, model)


def _fit(
    model: Model, train: pl.DataFrame, validation: pl.DataFrame, kept: Kept, report: Report
) -> tuple[Model, float, pl.DataFrame | None]:
    report(Step("Fitting", len(train), "items"))
    curves, started = Curves(report), time.monotonic()
    model.fit(train, validation, curves)
    seconds = time.monotonic() - started
    kept.keep_fitted(model, seconds, curves.table)
    return model, seconds, curves.table


def keep_run(manifest: RunManifest, asked: Asked, model: Model | None) -> Run:
    """Write a run's folder, whole or not at all, and record it; answers from elsewhere have no model."""
    with staged_folder(settings.runs_folder()) as folder:
        if model:
            model.save(folder / MODEL)
        asked.guesses.write_parquet(folder / GUESSES)
        if asked.distribution is not None:
            np.save(folder / DISTRIBUTION, asked.distribution, allow_pickle=False)
        if asked.validation is not None:
            asked.validation.write_parquet(folder / VALIDATION)
        if asked.validation_distribution is not None:
            np.save(folder / VALIDATION_DISTRIBUTION, asked.validation_distribution, allow_pickle=False)
        write_curves(folder, asked.curves)
        write_manifest(folder, manifest)
        place = settings.runs_folder() / manifest.id
        if not publish(folder, place):  # an earlier attempt at this job died before its run was on record
            manifest = read_manifest(place)
    return record_run(manifest)


def _settled(stated: dict[str, Value]) -> dict[str, Value]:
    """Settings that mean the same wherever they are read: a folder by its whole path."""
    return {name: full_place(str(value)) if name in PLACES else value for name, value in stated.items()}


def _check(order: Order) -> None:
    find_kind(order.model).check_settings(order.settings)
    if order.of:
        raise PricerError(f"only a stack is made of runs, and {order.model} is none")
    for name in ("first_n", "first_k"):
        value = getattr(order, name)
        if value is not None and value < 1:
            raise PricerError(f"{name} must be at least 1, got {value}")
    if order.asked not in ("natural", "balanced", "both"):
        raise PricerError(f"the exam asked must be natural, balanced or both, got {order.asked!r}")


def check_memory(order: Order, train_items: int) -> None:
    """PricerError where a fit would need more memory than is free."""
    estimate = find_kind(order.model).estimate(train_items, **order.settings)
    check_free(f"{order.model} on {train_items:,} items", estimate.bytes, estimate.instead)


def check_free(what: str, needed: int, instead: str) -> None:
    """PricerError where something needs more bytes of memory than are free; `instead` says what to do."""
    free = psutil.virtual_memory().available
    if needed > free:
        raise PricerError(
            f"{what} needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; {instead}"
        )


def trained_on(order: Order, dataset: Dataset) -> int:
    """How many items of train an order takes."""
    return min(order.first_n or dataset.manifest.train, dataset.manifest.train)


def read_train(dataset: Dataset, model: str, first_n: int | None) -> pl.DataFrame:
    """The items that a model fits on, all or a random n: the first by a draw of their own, so more n only adds."""
    return _some(_read(dataset.train(), model), first_n, dataset)


def _some(items: pl.DataFrame, first_n: int | None, dataset: Dataset) -> pl.DataFrame:
    if first_n is None or first_n >= len(items):
        return items
    order = np.argsort(draw(items["key"].to_numpy(), FIRST_STREAM, dataset.manifest.recipe.seed), kind="stable")
    return items[np.sort(order[:first_n])]


def validation_asked(order: Order, exam_items: int, dataset: Dataset) -> int:
    """How many items of validation an order is asked: of a slow model no more than of the exam."""
    whole = dataset.manifest.validation
    return min(whole, exam_items) if find_kind(order.model).seconds_to_ask else whole


def read_exam(dataset: Dataset, order: Order) -> pl.DataFrame:
    """The items that a model is asked, natural ones first, each once."""
    exam = _read(dataset.exam(), order.model)
    k = order.first_k or len(exam)
    wanted = {
        "natural": pl.col("natural_rank") < k,
        "balanced": pl.col("balanced_rank") < k,
    }
    chosen = [wanted[reading] for reading in wanted if order.asked in (reading, "both")]
    return exam.filter(pl.any_horizontal([choice.fill_null(False) for choice in chosen])).sort(
        "natural_rank", "balanced_rank", nulls_last=True
    )


def _read(items: pl.LazyFrame, model: str) -> pl.DataFrame:
    """Items without the texts that the model does not read."""
    return items.drop([name for name in _READS if name != find_kind(model).reads]).collect()


def make_manifest(order: Order, dataset: Dataset, train: pl.DataFrame, asked: Asked, fit_seconds: float) -> RunManifest:
    """Everything that the figures of an order's run depend on."""
    kind = find_kind(order.model)
    return RunManifest(
        **facts_of(dataset),
        id=new_run_id(order.model, dataset.id, json.dumps(asdict(order), sort_keys=True)),
        name=order.name or default_name(order, dataset.name),
        model=order.model,
        family=kind.family,
        model_settings=kind.check_settings(order.settings),
        seed=order.seed,
        of=order.of,
        asked=order.asked,
        first_k=order.first_k,
        asked_items=len(asked.guesses),
        first_n=order.first_n,
        train_items=len(train),
        train_median=float(train["price"].median()),
        fit_seconds=round(fit_seconds, 3),
        guess_seconds=round(asked.seconds, 3),
        cost_dollars=float(asked.guesses["cost_dollars"].sum()),
    )


def facts_of(dataset: Dataset) -> dict:
    """What a run's manifest says of its dataset, and of where and when it was made."""
    about, job = dataset.manifest, settings.job_folder()
    return {
        "dataset_id": dataset.id,
        "dataset_name": dataset.name,
        "dataset_hash": about.content_hash,
        "catalogue_name": about.catalogue_name,
        "catalogue_version": about.catalogue_version,
        "catalogue_hash": about.catalogue_hash,
        "exam_hash": about.exam_hash,
        "split": about.split,
        "created": datetime.now(UTC),
        "pricer_version": pricer.__version__,
        "code_version": code_version(),
        "generated": about.generated,
        "job_id": job.name if job else None,
    }


def default_name(order: Order, dataset: str) -> str:
    """What a run is called that nobody named: its model, what differs from the model's defaults, its dataset.

    >>> default_name(Order("tfidf-ridge", "even", {"alpha": 1.0}, first_n=2000), "even")
    'tfidf-ridge (alpha 1, 2,000 items) on even'
    >>> default_name(Order("qlora", "even", {"base": "meta-llama/Llama-3.2-3B", "r": 16}), "even")
    'Llama-3.2-3B 4 bit tuned (r 16) on even'
    """
    kind = find_kind(order.model)
    defaults = {setting.name: setting.default for setting in kind.settings}
    title, told = order.model, ()
    if "base" in defaults:  # of a language model its base, and how it is held, say more than what it is called here
        told = ("base", "precision")
        base, precision = (str((defaults | order.settings)[name]) for name in told)
        title = f"{Path(full_place(base)).name} {PRECISION_WORDS[precision]}{' tuned' if kind.learns else ''}"
    parts = [
        in_words(name, value) for name, value in order.settings.items() if value != defaults[name] and name not in told
    ]
    parts += [f"seed {order.seed}"] if order.seed != Order.seed else []
    parts += [f"{order.first_n:,} items"] if order.first_n else []
    parts += [f"of {len(order.of)} runs"] if order.of else []
    name = f"{title}{' (' + ', '.join(parts) + ')' if parts else ''} on {dataset}"
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 2]} …"


@cache
def code_version() -> str:
    """12 hex digits that name the code of the library: the SHA-256 of its files."""
    folder = Path(pricer.__file__).parent
    hashed = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        hashed.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return hashed.hexdigest()[:12]
