"""One line on Train: what the run in hand, or more items, would bring by the runs that stand."""

import streamlit as st

from pages.shared.experiments.cached import learning_curve
from pages.shared.widgets import escaped
from pricer.curation.dataset import Dataset
from pricer.figures.learning import hint, learning_finding
from pricer.runs.experiments_learning import runs_of_curve
from pricer.runs.store import Run
from pricer.runs.training import Order, trained_on


def show_hint(order: Order, dataset: Dataset, runs: list[Run]) -> None:
    """Say it where a learning curve stands and can be trusted to go on; otherwise nothing."""
    found = runs_of_curve(order, dataset, runs)
    if not found or dataset.manifest.split == "naive" or order.asked == "balanced":
        return
    wanted, largest = trained_on(order, dataset), found[-1][0]
    curve = learning_curve(tuple(size for size, _ in found), [run for _, run in found], "natural", wanted)
    if curve.ahead is None:
        return
    rows = {row["train_items"]: row for row in curve.ahead.iter_rows(named=True)}
    if wanted in rows:
        words = f"By the learning curve {hint(largest, wanted, rows[wanted])}"
    elif largest >= dataset.manifest.train:
        words = f"By the learning curve: {learning_finding(curve.measured, next(iter(rows.values())))}"
    else:
        return
    st.html(f'<p class="pr-note"><span>{escaped(words)} (natural exam, 95% band).</span></p>')
