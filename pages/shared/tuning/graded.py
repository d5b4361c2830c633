"""A tuned model's run beside its base's."""

import streamlit as st

from pages.shared import cached
from pages.shared.widgets import Cell, Html, chart_head, escaped, table
from pricer.figures.formats import NOT_MEASURED, count, dollars
from pricer.runs.store import Run, list_runs
from pricer.runs.tuning_orders import HOSTED
from pricer.runs.tunings import Tuning


def show_graded(tuning: Tuning) -> None:
    """The tuned model's run beside its base's, on the exam that both were asked."""
    if not tuning.tuned_model:
        return
    wanted = {tuning.tuned_model: "tuned", tuning.base_model: "base"}
    runs = [
        run for run in list_runs()
        if run.manifest.model == HOSTED and run.manifest.dataset_id == tuning.kept.dataset_id
        and run.manifest.model_settings.get("model") in wanted
    ]  # fmt: skip
    if not runs:
        return
    chart_head("Beside its base", "mean error on the natural exam, on the items that each was asked of it")
    table(["Model", "Error", "95% interval", "Items", "Cost"], [_graded(run, wanted) for run in runs], right=(1, 3, 4))
    st.page_link("results/compare.py", label="Open Compare", icon=":material/arrow_forward:")


def _graded(run: Run, wanted: dict[str, str]) -> tuple[Cell, ...]:
    found = cached.run_metrics(run, run.reading)
    interval = NOT_MEASURED if found.error_low is None else f"{dollars(found.error_low)} to {dollars(found.error_high)}"
    model = str(run.manifest.model_settings["model"])
    name = Html(f"<b>{escaped(wanted[model])}</b> {escaped(model)}")
    return name, dollars(found.error), interval, count(found.items), dollars(run.manifest.cost_dollars)
