"""Asking a model the items of an exam, a batch at a time, with what it said kept and shown as it arrives."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import polars as pl

from pricer import settings
from pricer.evaluation.scoring import scored
from pricer.models import Answers, GivesDistribution, Model, without_price
from pricer.progress import Report, Step, silent
from pricer.runs.kept import Guessed, Kept
from pricer.runs.spending import cap

LIVE = "guesses.jsonl"  # in a job's folder: the guesses as they arrive
_BATCH = 256
_SCHEMA = {
    "item_id": pl.String,
    "guess": pl.Float64,
    "status": pl.String,
    "low": pl.Float64,
    "high": pl.Float64,
    "seconds": pl.Float64,
    "cost_dollars": pl.Float64,
    "raw_answer": pl.String,
}


@dataclass(frozen=True)
class Asked:
    """What was guessed of an exam, as `guesses.parquet` keeps it, and how long that took."""

    guesses: pl.DataFrame
    seconds: float
    distribution: np.ndarray | None = None  # float16 (guesses, 1000), of a model that gives one
    validation: pl.DataFrame | None = None  # item_id and guess of validation, which ranges and stacks go by
    validation_distribution: np.ndarray | None = None  # float16 (rows of it, 1000), where given
    curves: pl.DataFrame | None = None  # of the fit, as `pricer.runs.curves` has them


def ask_exam(model: Model, exam: pl.DataFrame, train_median: float, report: Report, kept: Kept | None = None) -> Asked:
    """Ask the exam in batches, and leave each answer where the page that watches looks; what was kept is not asked."""
    so_far = (kept and kept.guessed()) or Guessed(pl.DataFrame(schema=_SCHEMA), None, 0.0)
    started = time.monotonic() - so_far.seconds
    at_once: int | None = _BATCH
    if isinstance(model, Answers):
        at_once = model.items_at_once
        model.most_dollars = cap() - float(so_far.table["cost_dollars"].sum())
    with _live_file() as live:
        _show(live, exam[: len(so_far.table)], so_far.table, train_median)
        for batch in exam[len(so_far.table) :].iter_slices(at_once or max(1, len(exam))):
            table, chances = _ask(model, batch, _as_part(report, len(so_far.table), len(exam)))
            so_far = so_far.and_then(table, chances, time.monotonic() - started)
            _show(live, batch, table, train_median)
            report(Step("Guessing", len(so_far.table), "items", len(so_far.table) / len(exam)))
            if kept and kept.is_due():
                kept.keep_guessed(so_far)
    return Asked(so_far.table, so_far.seconds, so_far.chances)


def _as_part(report: Report, before: int, items: int) -> Report:
    """Tell what is done of a batch as a part of all items."""

    def tell(step: Step) -> None:
        done = before + step.count
        report(Step("Guessing", done, "items", done / items) if step.unit == "items" else step)

    return tell


def _ask(model: Model, items: pl.DataFrame, report: Report) -> tuple[pl.DataFrame, np.ndarray | None]:
    """What a model says of some items, as a run keeps it, and how likely it thinks each slot where it says so."""
    unpriced, started = without_price(items), time.monotonic()
    if isinstance(model, Answers):
        said = model.answers(unpriced, report)
        return pl.DataFrame({name: _column(said, name, items) for name in _SCHEMA}, schema=_SCHEMA), None
    guesses = model.predict(unpriced)
    chances = None
    if isinstance(model, GivesDistribution):
        chances = model.predict_distribution(unpriced).astype(np.float16)
    return guess_table(items["item_id"], guesses, time.monotonic() - started), chances


def _column(said: pl.DataFrame, name: str, items: pl.DataFrame) -> pl.Series:
    if name == "item_id":
        return items["item_id"]
    return said[name] if name in said.columns else pl.Series(name, [None] * len(items), dtype=_SCHEMA[name])


def ask_validation(
    model: Model, validation: pl.DataFrame, stage: str, report: Report = silent
) -> tuple[np.ndarray, np.ndarray | None]:
    """What a model guesses of a dataset's validation: float64 (items,) dollars; and of a model that gives one, how
    likely each slot is: float16 (items, 1000).
    """
    guesses, chances = [np.zeros(0)], []
    for batch in without_price(validation).iter_slices(_BATCH):
        guesses.append(model.predict(batch))
        if isinstance(model, GivesDistribution):
            chances.append(model.predict_distribution(batch).astype(np.float16))
        done = sum(map(len, guesses))
        report(Step(stage, done, "items", done / len(validation)))
    return np.concatenate(guesses), np.concatenate(chances) if chances else None


def validation_table(validation: pl.DataFrame, guesses: np.ndarray) -> pl.DataFrame:
    """Guesses of validation as a run keeps them."""
    return validation.select("item_id", guess=pl.Series(guesses, dtype=pl.Float64))


def guess_table(
    item_ids: pl.Series, guesses: np.ndarray, seconds: float, raw_answers: Sequence[str | None] | None = None
) -> pl.DataFrame:
    """Guesses as a run keeps them: what is not finite is a failed one; the seconds are spread over all."""
    guess = pl.Series("guess", guesses, dtype=pl.Float64)
    is_answer = guess.is_finite()
    return pl.DataFrame({
        "item_id": item_ids,
        "guess": guess.zip_with(is_answer, pl.Series([None], dtype=pl.Float64)) if len(guess) else guess,
        "status": ["answer" if finite else "failed" for finite in is_answer],
        "low": None,
        "high": None,
        "seconds": seconds / max(1, len(guess)),
        "cost_dollars": 0.0,
        "raw_answer": raw_answers,
    }, schema=_SCHEMA)  # fmt: skip


# As they arrive


def _live_file() -> TextIO:
    folder = settings.job_folder()
    return (folder / LIVE if folder else Path(os.devnull)).open("a", encoding="utf-8")


def _show(live: TextIO, batch: pl.DataFrame, table: pl.DataFrame, train_median: float) -> None:
    graded = batch.select("item_id", "title", "price").with_columns(table["guess"], table["status"])
    for row in scored(graded, train_median).select("title", "price", "guess", "error", "colour").iter_rows(named=True):
        live.write(json.dumps(row) + "\n")
    live.flush()


def live_guesses(job_id: str) -> pl.DataFrame:
    """What a job has guessed until now: title, price, guess, error, colour; empty before its first answer."""
    schema = {"title": pl.String, "price": pl.Float64, "guess": pl.Float64, "error": pl.Float64, "colour": pl.String}
    path = settings.jobs_folder() / job_id / LIVE
    written = path.read_bytes() if path.is_file() else b""
    whole = written[: written.rfind(b"\n") + 1]  # the last line may be still being written
    return pl.read_ndjson(whole, schema=schema) if whole else pl.DataFrame(schema=schema)
