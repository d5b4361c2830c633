"""What a run's model has learned, for the page that shows the run."""

import streamlit as st

from pages.shared import cached
from pages.shared.widgets import Cell, chart_head, empty_card, table
from pricer.figures.formats import count, dollars, percent
from pricer.models import Learned
from pricer.runs.store import MODEL, Run


def show_learned(run: Run) -> None:
    """The tables of the run's model, two beside each other."""
    told = cached.learned(run) if (run.folder / MODEL).is_dir() else []
    if not told:
        empty_card("Nothing to read.", f"What {run.manifest.model} learns has no names that could be shown.")
    for start in range(0, len(told), 2):
        for column, part in zip(st.columns(2, gap="large"), told[start : start + 2], strict=False):
            with column:
                _show(part)


def _show(part: Learned) -> None:
    chart_head(part.title, part.note)
    if part.table.is_empty():
        st.html('<p class="pr-note">none</p>')
        return
    names = part.table.columns
    rows = ([_cell(value, name) for name, value in row.items()] for row in part.table.iter_rows(named=True))
    table([name.capitalize() for name in names], rows, right=range(1, len(names)))


def _cell(value: str | float, column: str) -> Cell:
    if isinstance(value, str):
        return value if len(value) <= 60 else value[:59].rstrip() + "…"
    if isinstance(value, int):
        return count(value)
    if column == "dollars":
        return dollars(value) if abs(value) >= 0.01 else f"${value:.2g}"
    return percent(value) if column == "share" else f"× {value:.2f}" if column == "times" else f"{value:,.4g}"
