"""Guesses that were made elsewhere, by people or by services: a CSV of item_id and guess becomes a run."""

import csv
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from pricer import settings
from pricer.catalogue.scrub import Rejected, parse_price
from pricer.curation.dataset import Dataset, open_dataset
from pricer.errors import PricerError
from pricer.files import write_whole
from pricer.runs.asking import Asked, guess_table
from pricer.runs.store import IMPORTED, Run, RunManifest, new_run_id
from pricer.runs.training import facts_of, keep_run

VERB = "import-guesses"
COLUMNS = {"item_id", "guess"}
FAMILIES = ("human", "hosted")
Family = Literal["human", "hosted"]


@dataclass(frozen=True)
class BadRow:
    """A row that brings no price: where it stands, what it says, and why."""

    line: int  # of the file, from 1; the last line of a row that has several
    item_id: str
    guess: str
    why: str


@dataclass(frozen=True)
class Checked:
    """What a file of guesses holds for an exam; every row is matched, unknown or a duplicate."""

    guesses: dict[str, str]  # by item_id, as they are written: of items of the exam, the first of each
    exam_items: int
    rows: int
    unknown: int  # their item is not in the exam
    duplicates: int  # their item was guessed in an earlier row, which counts
    failed: int  # of those matched: no number that is a price
    bad: tuple[BadRow, ...]  # those unknown, duplicate or failed, in the file's order

    @property
    def matched(self) -> int:
        return len(self.guesses)

    @property
    def missing(self) -> int:
        """Exam items that the file does not name; they count as not asked."""
        return self.exam_items - self.matched


def check_guesses(path: Path, dataset: Dataset) -> Checked:
    """Hold a CSV file of guesses against a dataset's exam; nothing is recorded.

    The file has the columns item_id and guess, dollars as "12.5" or "$1,234.50". PricerError where it cannot be read.
    """
    in_exam = set(dataset.exam().select("item_id").collect()["item_id"])
    guesses, lines, bad = {}, {}, []
    counts = {"rows": 0, "unknown": 0, "duplicates": 0, "failed": 0}
    for line, item_id, guess in _rows(path):
        counts["rows"] += 1
        kind, why = None, ""
        if item_id not in in_exam:
            kind, why = "unknown", "no item of the exam"
        elif item_id in guesses:
            kind, why = "duplicates", f"guessed in line {lines[item_id]} already, which counts"
        else:
            guesses[item_id], lines[item_id] = guess, line
            if math.isnan(_dollars(guess)):
                kind, why = "failed", "says no price, so it is scored as the train median"
        if kind:
            counts[kind] += 1
            bad.append(BadRow(line, item_id, guess, why))
    return Checked(guesses, len(in_exam), bad=tuple(bad), **counts)


def import_guesses(path: Path, dataset: str, name: str, family: Family = "human") -> tuple[Run, Checked]:
    """Grade the guesses of a CSV file on a dataset's exam, and record the run; also gives what the file held.

    PricerError as `check_guesses`, or where no row names an item of the exam.
    """
    if family not in FAMILIES:
        raise PricerError(f"the family of imported guesses is human or hosted, got {family!r}")
    opened = open_dataset(dataset)
    found = check_guesses(path, opened)
    if not found.guesses:
        raise PricerError(f"{path}: none of its {found.rows:,} rows names an item of the exam of {opened.name!r}")
    asked = _in_order(opened.exam().select("item_id").collect()["item_id"], found.guesses)
    manifest = RunManifest(
        **facts_of(opened),
        id=new_run_id(IMPORTED, opened.id, name, family),
        name=name,
        model=IMPORTED,
        family=family,
        model_settings={},
        seed=0,
        asked="both" if opened.manifest.balanced else "natural",
        first_k=None,
        asked_items=found.matched,
        first_n=None,
        train_items=0,
        train_median=float(opened.train().select("price").collect()["price"].median()),
        fit_seconds=None,
        guess_seconds=None,
        cost_dollars=None,
    )
    return keep_run(manifest, asked, model=None), found


def import_arguments(path: Path, dataset: str, name: str, family: Family = "human") -> list[str]:
    """The command line that imports a file."""
    return [VERB, str(path), f"--dataset={dataset}", f"--name={name}", *([f"--family={family}"] * (family != "human"))]


def keep_upload(content: bytes) -> Path:
    """A file as a browser sent it, kept under its hash in the home's cache, so that a job can read it."""
    path = settings.cache_folder() / "guesses" / f"{hashlib.sha256(content).hexdigest()[:16]}.csv"
    if not path.is_file():
        write_whole(path, content)
    return path


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """The line, item_id and guess of each row, as written; PricerError where the file is no such table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or []
            if not set(names) >= COLUMNS:
                raise PricerError(f"{path}: needs the columns item_id and guess; it has {', '.join(names) or 'none'}")
            for row in reader:
                yield reader.line_num, (row["item_id"] or "").strip(), (row["guess"] or "").strip()
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
