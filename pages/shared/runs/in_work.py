"""What is queued and running: the table that follows it, and the order of the queue."""

import streamlit as st

from pages.shared.widgets import Cell, Html, chart_head, distinct, escaped, plain, progress_bar, table
from pricer.errors import PricerError
from pricer.figures.formats import NOT_MEASURED, duration, moment
from pricer.runs.history import job_name
from pricer.runs.launch import Launch, alive_launches, cancel, move

ORDINALS = {1: "1st", 2: "2nd", 3: "3rd"}
MOVES = {"first": "First", "up": "Up", "down": "Down", "last": "Last"}
ICONS = {
    "first": "vertical_align_top", "up": "arrow_upward", "down": "arrow_downward", "last": "vertical_align_bottom",
}  # fmt: skip


def show_in_work(known: list[str]) -> None:
    """The table of jobs that are not over; runs again by itself, and draws the whole page once one of them is."""
    jobs = alive_launches()
    if {job.id for job in jobs} != set(known):
        st.rerun()
    queued = [job for job in jobs if job.state == "queued"]
    chart_head("In work", "Progress, rate and time left are those of the stage that a job is at")
    rows = [_row(job, [each.id for each in queued]) for job in jobs]
    table(["Job", "State", "Progress", "Rate", "Left"], rows, right=(3, 4))
    if queued:
        _order_queue(queued)


def _row(job: Launch, queued: list[str]) -> tuple[Cell, ...]:
    progress = job.progress
    name = Html(f"<b>{escaped(job_name(job))}</b>") if job.state == "running" else job_name(job)
    if job.state == "queued" or progress is None:
        return name, _waiting(job, queued), progress_bar(0), NOT_MEASURED, NOT_MEASURED
    rate = f"{progress.rate_per_second:,.0f} {progress.unit}/s" if progress.rate_per_second else NOT_MEASURED
    again = f", attempt {job.attempt}" if job.attempt > 1 else ""
    state = progress.stage.lower() + again
    return name, state, progress_bar(progress.fraction), rate, duration(progress.remaining_seconds)


def _waiting(job: Launch, queued: list[str]) -> str:
    if job.state != "queued":
        return "starting" if job.state == "running" else job.state
    if job.next_at:
        return f"tried again at {moment(job.next_at)}"
    place = queued.index(job.id) + 1
    return f"queued, {ORDINALS.get(place, f'{place}th')}"


def _order_queue(queued: list[Launch]) -> None:
    """Move one of the queued jobs, or take it out."""
    names = distinct({job.id: job_name(job) for job in queued})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("In the queue", list(names), format_func=names.get, key="queue_job", width=420)
        for place, label in MOVES.items():
            st.button(
                label,
                icon=f":material/{ICONS[place]}:",
                key=f"queue_{place}",
                disabled=len(queued) < 2,
                on_click=act,
                args=(move, chosen, place),
            )
        st.button("Cancel", icon=":material/close:", key="queue_cancel", on_click=act, args=(cancel, chosen))


def act(do, *arguments: str) -> None:
    """Do what a button says; what stands in its way, as another visitor was quicker, is told."""
    try:
        do(*arguments)
    except PricerError as error:
        st.toast(plain(str(error)), icon=":material/error:")
