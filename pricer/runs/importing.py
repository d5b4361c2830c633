"""Guesses that were made elsewhere, by people or by services: a CSV of item_id and guess becomes a run."""

import csv
import math
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from pricer.catalogue.scrub import Rejected, parse_price
from pricer.curation.dataset import open_dataset
from pricer.errors import PricerError
from pricer.runs.asking import Asked, guess_table
from pricer.runs.store import Run, RunManifest
from pricer.runs.training import facts_of, keep_run

IMPORTED = "imported"  # what stands for the model


@dataclass(frozen=True)
class Imported:
    """What became of a file's rows: rows = matched + unknown + duplicates."""

    run: Run
    rows: int
    matched: int
    unknown: int  # their item is not in the exam
    duplicates: int  # their item was guessed in an earlier row, which counts
    failed: int  # of those matched: no number that is a price
    missing: int  # exam items that the file does not name; they count as not asked


def import_guesses(path: Path, dataset: str, name: str, family: Literal["human", "hosted"] = "human") -> Imported:
    """Grade the guesses of a CSV file on a dataset's exam, and record the run.

    The file has the columns item_id and guess, dollars as "12.5" or "$1,234.50". PricerError where it cannot be read,
    or no row names an item of the exam.
    """
    if family not in ("human", "hosted"):
        raise PricerError(f"the family of imported guesses is human or hosted, got {family!r}")
    opened = open_dataset(dataset)
    exam = opened.exam().select("item_id").collect()["item_id"]
    in_exam, guesses, counts = set(exam), {}, {"rows": 0, "unknown": 0, "duplicates": 0}
    for item_id, guess in _rows(path):
        counts["rows"] += 1
        if item_id not in in_exam:
            counts["unknown"] += 1
        elif item_id in guesses:
            counts["duplicates"] += 1
        else:
            guesses[item_id] = guess
    if not guesses:
        raise PricerError(f"{path}: none of its {counts['rows']:,} rows names an item of the exam of {opened.name!r}")
    asked = _in_order(exam, guesses)
    manifest = RunManifest(
        **facts_of(opened),
        id=secrets.token_hex(6),
        name=name,
        model=IMPORTED,
        family=family,
        model_settings={},
        seed=0,
        asked="both" if opened.manifest.balanced else "natural",
        first_k=None,
        asked_items=len(guesses),
        first_n=None,
        train_items=0,
        train_median=float(opened.train().select("price").collect()["price"].median()),
        fit_seconds=0.0,
        guess_seconds=0.0,
        cost_dollars=0.0,
    )
    failed = int((asked.guesses["status"] == "failed").sum())
    run = keep_run(manifest, asked, model=None)
    return Imported(run, matched=len(guesses), failed=failed, missing=len(exam) - len(guesses), **counts)


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    """The item_id and guess of each row, as they are written; PricerError where the file is no such table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or []
            if not {"item_id", "guess"} <= set(names):
                raise PricerError(f"{path}: needs the columns item_id and guess; it has {', '.join(names) or 'none'}")
            for row in reader:
                yield (row["item_id"] or "").strip(), (row["guess"] or "").strip()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PricerError(f"{path}: cannot be read as CSV ({error})") from error


def _in_order(exam: pl.Series, guesses: dict[str, str]) -> Asked:
    """The guesses in the exam's order; what was written is kept beside what was read."""
    item_ids = exam.filter(exam.is_in(list(guesses)))
    written = [guesses[item_id] for item_id in item_ids]
    return Asked(guess_table(item_ids, np.array([_dollars(guess) for guess in written]), 0.0, written), 0.0)


def _dollars(text: str) -> float:
    """The dollars that a guess says; NaN where it says none."""
    try:
        return parse_price(text)
    except Rejected:
        return math.nan
