"""The list of all runs: searched, filtered, sorted, turned page by page, and as CSV."""

import csv
import io

import streamlit as st

from pages.shared import runs_cached
from pages.shared.shelf import OWN_EXAM
from pages.shared.widgets import Cell, Html, chart_head, escaped, generated_badge, page_of, table
from pricer.figures.formats import NOT_MEASURED, count, count_of, dollars, duration, moment, spreadsheet_safe
from pricer.runs.history import Entry, search
from pricer.runs.store import Run

STATES = ("queued", "running", "done", "failed", "cancelled", "crashed")
ANY = "any"
SORTS = ("newest", "oldest", "name", "least error", "longest fit")
_COLUMNS = ["Run", "Family", "Error", "Fit", "Train items", "Dollars per 1,000", "Finished"]


def filter_entries(entries: list[Entry]) -> list[Entry]:
    """The controls of the list, and the entries that they leave, sorted."""
    families = sorted({entry.family for entry in entries if entry.family})
    tags = sorted({tag for entry in entries for tag in entry.tags})
    states = [state for state in STATES if any(entry.state == state for entry in entries)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Search", key="runs_words", placeholder="name, model, dataset, tag, note", width=280,
            persist_state="session",
        )  # fmt: skip
        state = _choice("State", states, "runs_state")
        family = _choice("Family", families, "runs_family")
        tag = _choice("Tag", tags, "runs_tag")
        sort = st.selectbox("Sort by", SORTS, key="runs_sort", width=150, persist_state="session")
    return _sorted(search(entries, words, state, family, tag), sort)


def _choice(label: str, options: list[str], key: str) -> str | None:
    """One of the options, or None for any; what is chosen stays on offer."""
    chosen = st.session_state.get(key, ANY)
    offered = [ANY, *options, *([chosen] if chosen not in (ANY, *options) else [])]
    found = st.selectbox(label, offered, key=key, width=150, persist_state="session")
    return None if found == ANY else found


def _sorted(entries: list[Entry], sort: str) -> list[Entry]:
    """Entries as they were wished, the newest first among equals; what has no such figure comes last."""
    if sort == "oldest":
        return entries[::-1]
    if sort == "name":
        return sorted(entries, key=lambda entry: entry.name.lower())
    if sort == "least error":
        errors = runs_cached.run_errors([entry.run for entry in entries if entry.run])
        return sorted(entries, key=lambda entry: _last_if_none(entry.run and errors.get(entry.run.id)))
    if sort == "longest fit":
        return sorted(entries, key=lambda entry: _last_if_none(entry.run and _longest(entry.run)))
    return entries


def _longest(run: Run) -> float | None:
    return None if run.manifest.fit_seconds is None else -run.manifest.fit_seconds


def _last_if_none(figure: float | None) -> tuple[bool, float]:
    return figure is None, figure or 0.0


def show_over(entries: list[Entry]) -> None:
    """The table of what is over."""
    over = [entry for entry in entries if not entry.alive]
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        chart_head("Over", "Error on the natural exam, or on the balanced one where only that was asked")
        if over:
            st.download_button(
                "Download as CSV", lambda: _as_csv(over), "runs.csv", "text/csv", key="download_runs",
                icon=":material/download:", on_click="ignore",
            )  # fmt: skip
    if not over:
        st.html('<p class="pr-note">No run is as wished: change the search or the filters above.</p>')
        return
    place = st.container()
    shown = page_of(over, "run", "over_page")
    errors = runs_cached.run_errors([entry.run for entry in shown if entry.run])
    with place:
        table(_COLUMNS, [_row(entry, errors) for entry in shown], right=(2, 3, 4, 5))


def _row(entry: Entry, errors: dict[str, float | None]) -> tuple[Cell, ...]:
    if entry.run is None:
        name = Html(f"{escaped(entry.name)}{_badge(entry.state)}")
        return name, entry.family or NOT_MEASURED, *[NOT_MEASURED] * 4, moment(entry.job.ended or entry.began)
    it = entry.run.manifest
    own = _badge(OWN_EXAM) if it.split == "naive" else ""
    tags = "".join(f'<span class="pr-badge">#{escaped(tag)}</span>' for tag in entry.tags)
    name = Html(f"<b>{escaped(entry.name)}</b>{generated_badge(it.generated).text}{own}{tags}")
    cost = dollars(None if it.cost_dollars is None else 1000 * it.cost_dollars / max(1, it.asked_items))
    error = dollars(errors[entry.run.id])
    return name, it.family, error, duration(it.fit_seconds), count(it.train_items), cost, moment(it.created)


def _badge(word: str) -> str:
    return f'<span class="pr-badge">{escaped(word)}</span>'


def _as_csv(entries: list[Entry]) -> str:
    """Every entry of the list, one a row, numbers in full."""
    errors = runs_cached.run_errors([entry.run for entry in entries if entry.run])
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["id", "name", "state", "model", "family", "dataset", "error_dollars", "fit_seconds", "train_items",
                     "asked_items", "cost_dollars", "finished", "tags", "note"])  # fmt: skip
    for entry in entries:
        it = entry.run.manifest if entry.run else None
        name, note = spreadsheet_safe(entry.name), spreadsheet_safe(entry.run.note if entry.run else "")
        facts = (
            [it.model, it.family, it.dataset_name, errors[it.id], it.fit_seconds, it.train_items, it.asked_items,
             it.cost_dollars, it.created.isoformat()]
            if it
            else [*[""] * 8, (entry.job.ended or entry.began).isoformat()]
        )  # fmt: skip
        writer.writerow([it.id if it else entry.id, name, entry.state, *facts, " ".join(entry.tags), note])
    return written.getvalue()


def told(entries: list[Entry], shown: list[Entry]) -> str:
    """How many of all are shown."""
    return f"{count(len(shown))} of {count_of(len(entries), 'run')}"
