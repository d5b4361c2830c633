"""A run that was asked a part of its exam is asked more: what it has answered already is not asked again.

The old run stays as it is, for a run never changes. The new one has its name, its model and its answers, those of the
further items beside them, and the old one's id under `extends`.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import polars as pl

import pricer
from pricer import settings
from pricer.curation.dataset import Dataset
from pricer.errors import PricerError
from pricer.progress import Report, silent
from pricer.runs.asking import Asked, ask_exam
from pricer.runs.curves import read_curves
from pricer.runs.kept import Kept
from pricer.runs.orders import order_of
from pricer.runs.spending import check_spending, tokens_of
from pricer.runs.store import MODEL, VALIDATION, Run, new_run_id, open_run
from pricer.runs.training import Order, code_version, keep_run, read_exam


def may_extend(run: Run) -> int | None:
    """Up to which k the run can be asked; None where it was asked all, keeps no model, or its dataset is gone."""
    if run.manifest.first_k is None or not (run.folder / MODEL).is_dir():
        return None
    try:
        most = _longest(run.dataset(), run.manifest.asked)
    except PricerError:
        return None
    return most if run.manifest.first_k < most else None


def _longest(dataset: Dataset, asked: str) -> int:
    """The most items that one reading of what was asked has."""
    sizes = {"natural": dataset.manifest.natural, "balanced": dataset.manifest.balanced}
    return max(sizes.values()) if asked == "both" else sizes[asked]


@dataclass(frozen=True)
class More:
    """What a run is still to be asked."""

    order: Order  # of the longer run
    exam: pl.DataFrame  # all that the longer run is asked, in the exam's order
    new: pl.DataFrame  # those of them that the run was not asked yet


def more_of(run: Run, first_k: int | None) -> More:
    """What a run is still to be asked of the first k of its exam, of all where k is None.

    PricerError where it keeps no model, or k adds nothing.
    """
    most = may_extend(run)
    if most is None:
        asked_all = run.manifest.first_k is None
        raise PricerError(f"{run.name!r} {'was asked the whole exam already' if asked_all else 'cannot be asked more'}")
    if first_k is not None and first_k <= run.manifest.first_k:
        raise PricerError(f"{run.name!r} was asked the first {run.manifest.first_k:,}; ask more than that, or all")
    order = replace(order_of(run), first_k=None if first_k is None or first_k >= most else first_k)
    exam = read_exam(run.dataset(), order)
    return More(order, exam, exam.join(run.guesses().select("item_id"), on="item_id", how="anti"))


def extend_run(label: str, first_k: int | None, report: Report = silent) -> Run:
    """Ask a run the first k of its exam, all where k is None, and record the longer run.

    PricerError where there is no such run, what `more_of` says, or the further items would cost more than the cap.
    """
    run, folder = open_run(label), settings.job_folder()
    if folder and run.manifest.job_id == folder.name:
        return run  # what an earlier attempt at this job has recorded, under the name of the run that it extends
    more = more_of(run, first_k)
    check_spending(more.order.model, len(more.new), more.order.settings, tokens_of(run.dataset()))
    kept = Kept("extend", run.id, more.order.first_k, code_version())
    new = ask_exam(run.model(), more.new, run.manifest.train_median, report, kept)
    asked = _together(run, run.guesses(), new, more.exam["item_id"])
    manifest = run.manifest.model_copy(
        update={
            "id": new_run_id(run.id),
            "extends": run.id,
            "first_k": more.order.first_k,
            "asked_items": len(asked.guesses),
            "guess_seconds": round(run.manifest.guess_seconds + new.seconds, 3),
            "cost_dollars": run.manifest.cost_dollars + float(new.guesses["cost_dollars"].sum()),
            "created": datetime.now(UTC),
            "pricer_version": pricer.__version__,
            "code_version": code_version(),
            "job_id": folder.name if folder else None,
        }
    )
    return keep_run(manifest, asked, run.model())


def _together(run: Run, old: pl.DataFrame, new: Asked, exam: pl.Series) -> Asked:
    """All answers in the exam's order, what was kept beside them too."""
    guesses = pl.concat([old, new.guesses])
    place = {item: row for row, item in enumerate(guesses["item_id"])}
    order = [place[item] for item in exam]
    chances = run.distribution()
    if chances is not None and new.distribution is not None:
        chances = np.concatenate([chances, new.distribution])[order]
    validation = run.folder / VALIDATION
    return Asked(
        guesses[order],
        run.manifest.guess_seconds + new.seconds,
        chances,
        pl.read_parquet(validation) if validation.is_file() else None,
        run.validation_distribution(),
        read_curves(run.folder),
    )
