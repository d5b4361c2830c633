"""A tuned run beside its base, asked in the same precision on the same items; where there is none, how to get it."""

from dataclasses import replace

import streamlit as st

from pages.shared import cached
from pages.shared.jobs import command_of
from pages.shared.widgets import chart_head
from pricer.evaluation.errors import Reading
from pricer.figures.findings import versus_finding, versus_note
from pricer.figures.formats import count
from pricer.llm.local.memory import PRECISION_WORDS
from pricer.runs.adapters import TUNED, base_arguments, base_run, stopped_after
from pricer.runs.orders import order_of
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
            "The base alone has no run on this exam in this precision and with this prompt, so nothing shows what "
            "tuning has brought. Ask it, from Train or with this command.",
            icon=":material/info:",
        )
        arguments = base_arguments(replace(order_of(run), dataset=run.manifest.dataset_id))
        st.code(command_of(arguments), language=None, wrap_lines=True)
        return
    reading: Reading = "balanced" if run.manifest.asked == "balanced" else "natural"
    found = cached.versus(run, base, reading)
    finding = versus_finding("The tuned model", "its base alone", found.difference, found.tied)
    note = ""
    if found.difference is not None:
        note = versus_note(found.difference, found.low, found.high, found.items, found.items_to_settle)
    held = PRECISION_WORDS[run.manifest.model_settings["precision"]]
    chart_head(finding, f"{note}; both held {held}, {reading} exam")
