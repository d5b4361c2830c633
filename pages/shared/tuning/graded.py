"""A tuned model's run beside its base's."""

import streamlit as st

from pages.shared import cached
from pages.shared.widgets import Cell, Html, chart_head, escaped, table
from pricer.figures.formats import NOT_MEASURED, count, dollars
from pricer.runs.store import Run
from pricer.runs.tuning_orders import graded_runs
from pricer.runs.tunings import Tuning


def show_graded(tuning: Tuning) -> None:
    """The tuned model's run beside its base's, on the exam that both were asked."""
    runs = graded_runs(tuning)
    if not runs:
        return
    chart_head("Beside its base", "mean error on the natural exam, on the items that each was asked of it")
    table(["Model", "Error", "95% interval", "Items", "Cost"], [_graded(*each) for each in runs], right=(1, 3, 4))
    st.page_link("results/compare.py", label="Open Compare", icon=":material/arrow_forward:")


def _graded(label: str, run: Run) -> tuple[Cell, ...]:
    found = cached.run_metrics(run, run.reading)
    interval = NOT_MEASURED if found.error_low is None else f"{dollars(found.error_low)} to {dollars(found.error_high)}"
    name = Html(f"<b>{escaped(label)}</b> {escaped(run.manifest.model_settings['model'])}")
    return name, dollars(found.error), interval, count(found.items), dollars(run.manifest.cost_dollars)
