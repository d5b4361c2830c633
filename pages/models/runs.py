"""Runs: everything that is queued, running and done, for everyone who looks."""

import streamlit as st

from pages.shared import state
from pages.shared.jobs import SECONDS_BETWEEN_LOOKS
from pages.shared.kinds.beside_base import show_beside_base
from pages.shared.runs.beside import show_actions, show_deleted, show_tags_and_note, show_undo
from pages.shared.runs.curves import show_curves
from pages.shared.runs.elsewhere import show_made
from pages.shared.runs.in_work import show_in_work
from pages.shared.runs.listing import filter_entries, show_over
from pages.shared.runs.shown import show_alive, show_done, show_ended, show_views
from pages.shared.widgets import distinct, empty_card, page_head
from pricer.figures.formats import moment
from pricer.runs.history import Entry, history
from pricer.runs.launch import alive_launches

EXPLANATION = """
A **job** is a command that runs in the background, the same that a person could type. It goes on when the browser or
the server is closed. Heavy jobs (loading, training) wait for each other in a queue.

While a model guesses, each item is shown with its price, its guess and a judgement: **good** if the guess is less than
\\$40 or 20% off, **fair** below \\$80 or 40%, otherwise **poor**. The running error is the mean until then; its band is
1.96 standard errors to either side.

Here stands every run, and every job of any kind that is queued, at work, or ended without its result: it failed,
crashed or was cancelled. **Retry** begins it anew, **Resume** goes on from what it kept. What a load, a sampling or a
publishing made when it ended well stands on its own page. What is **deleted** leaves every page, and can be brought
back from the list at the end.
"""


def choose_entry(entries: list[Entry], found: list[Entry]) -> Entry:
    """The entry that is shown: of those found the one chosen, else what runs, else the newest."""
    by_id = {entry.id: entry for entry in entries}
    if wanted := st.session_state[state.RUN_WANTED]:
        st.session_state[state.SHOWN_RUN], st.session_state[state.RUN_WANTED] = wanted, None
    offered = [*found] or entries
    if st.session_state[state.SHOWN_RUN] not in {entry.id for entry in offered}:
        running = (entry.id for entry in offered if entry.state == "running")
        st.session_state[state.SHOWN_RUN] = next(running, offered[0].id)
    names = distinct({entry.id: f"{entry.name}, {entry.state}, {moment(entry.began)}" for entry in offered})
    st.selectbox(
        "Show run", list(names), format_func=names.get, key=state.SHOWN_RUN, width=560, persist_state="session"
    )
    return by_id[st.session_state[state.SHOWN_RUN]]


page_head("Runs", "Everything that is queued, running and done, for everyone who looks.", EXPLANATION, figures=True)
show_undo()
entries, at_work = history(), [job.id for job in alive_launches()]
show_made({entry.id for entry in entries})
if at_work:
    st.fragment(show_in_work, run_every=SECONDS_BETWEEN_LOOKS)(at_work)
if entries:
    found = filter_entries(entries)
    entry = choose_entry(entries, found)
    show_actions(entry)
    if entry.alive:
        st.fragment(show_alive, run_every=SECONDS_BETWEEN_LOOKS)(entry.id)
    elif entry.run:
        show_done(entry.run)
        show_beside_base(entry.run)
        show_curves(entry.run, [each.run for each in entries if each.run])
    else:
        show_ended(entry.job)
    if entry.run:
        show_tags_and_note(entry.run, sorted({tag for each in entries for tag in each.tags}))
    show_views(entry)
    show_over(found)
elif not at_work:
    with st.container(border=True):
        empty_card("No run yet.", "Train fits a model on a dataset and grades it on the exam.")
        st.page_link("models/train.py", label="Open Train", icon=":material/arrow_forward:")
show_deleted()
