"""Jobs on the page Runs that make no run: the page where what they make stands, and word of one that is done."""

import streamlit as st

from pages.shared import state
from pages.shared.jobs import job_of, show_done
from pages.shared.widgets import plain
from pricer.runs.history import job_name
from pricer.runs.launch import Launch

_CATALOGUE = ("data/catalogue.py", "Catalogue")
_PLACES = {
    "load": _CATALOGUE,
    "demo": _CATALOGUE,
    "rewrite": _CATALOGUE,
    "sample": ("data/curate.py", "Curate"),
    "publish": ("data/publish.py", "Publish"),
    "tune": ("models/tune.py", "Tune"),
}


def show_place(job: Launch) -> None:
    """A link to the page where a job of this kind is started, and what it makes is shown."""
    if found := _PLACES.get(job.arguments[0]):
        st.page_link(found[0], label=f"Open {found[1]}", icon=":material/arrow_forward:")


def show_made(listed: set[str]) -> None:
    """Where the job that was shown is done and has made no run, it is in the list no longer: say so until dismissed."""
    shown = st.session_state[state.SHOWN_RUN]
    if shown and shown not in listed:
        st.session_state[state.MADE_JOB], st.session_state[state.SHOWN_RUN] = shown, None
    job = job_of(state.MADE_JOB)
    if job and job.state == "done" and not job.deleted:
        show_done(state.MADE_JOB, plain(f"Done: {job_name(job)}."))
        show_place(job)
