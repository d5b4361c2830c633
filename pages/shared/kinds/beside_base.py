"""A tuned run beside its base, asked in the same precision on the same items; where there is none, how to get it."""

import streamlit as st

from pages.shared import cached
from pages.shared.jobs import command_of
from pages.shared.widgets import chart_head
from pricer.evaluation.errors import Reading
from pricer.figures.findings import versus_finding, versus_note
from pricer.figures.formats import count
from pricer.llm.local.memory import PRECISION_WORDS
from pricer.runs.adapters import TUNED, base_run, stopped_after
from pricer.runs.store import Run


def show_beside_base(run: Run) -> None:
    """What tuning has brought; nothing for a run of another model."""
    if run.manifest.model != TUNED:
        return
    stopped = stopped_after(run)
    if stopped:
        st.info(f"Stopped by a person after {count(stopped[0])} of {count(stopped[1])} steps.", icon=":material/info:")
    base = base_run(run)
    if base is None:
        st.info(
            "The base alone has no run on this exam in this precision, so nothing shows what tuning has brought. "
            "Ask it, from Train or with this command.",
            icon=":material/info:",
        )
        st.code(command_of(base_arguments(run)), language=None, wrap_lines=True)
        return
    reading: Reading = "balanced" if run.manifest.asked == "balanced" else "natural"
    found = cached.versus(run, base, reading)
    finding = versus_finding("The tuned model", "its base alone", found.difference, found.tied)
    note = ""
    if found.difference is not None:
        note = versus_note(found.difference, found.low, found.high, found.items, found.items_to_settle)
    held = PRECISION_WORDS[run.manifest.model_settings["precision"]]
    chart_head(finding, f"{note}; both held {held}, {reading} exam")


def base_arguments(run: Run) -> list[str]:
    """The command that asks a tuned run's base the same items."""
    made = run.manifest
    stated = {
        "--precision": made.model_settings["precision"],
        "--revision": made.model_settings["revision"] or None,
        "--first": made.first_k,
        "--exam": made.asked if made.asked != "both" else None,
    }
    options = [f"{name}={value}" for name, value in stated.items() if value is not None]
    return ["guess", made.model_settings["base"], f"--dataset={made.dataset_id}", *options]
