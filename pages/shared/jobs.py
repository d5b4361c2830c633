"""Background work as pages show it: started by a button, followed by its id, the command always beside it."""

import shlex
from collections.abc import Callable

import streamlit as st

from pages.shared import state
from pages.shared.widgets import Cell, Html, escaped, plain
from pricer.errors import PricerError
from pricer.figures.formats import count_of, duration, moment, percent
from pricer.runs.history import job_name
from pricer.runs.launch import Launch, cancel, dismiss, last_unread, launch, open_launch, resume, retry

SECONDS_BETWEEN_LOOKS = 2.0


def command_of(arguments: list[str]) -> str:
    """The command that a job with these arguments is, as a person would type it."""
    return shlex.join(["python", "-m", "pricer", *arguments])


def start_job(key: str, arguments: list[str]) -> None:
    """Start `python -m pricer` with these arguments, and remember the job under a session key."""
    st.session_state[key] = launch(arguments).id


def start_now(key: str, arguments: list[str]) -> None:
    """Start a job from the body of a page, and draw the page again.

    A callback would get the arguments that were drawn last, before the name that was typed just ahead of the click.
    """
    start_job(key, arguments)
    st.rerun()


def job_of(key: str) -> Launch | None:
    """The job that a session key names, as it stands now."""
    try:
        return open_launch(st.session_state[key]) if st.session_state[key] else None
    except PricerError:
        return None  # its folder was removed


def is_busy(key: str) -> bool:
    """Whether the job of a session key is queued or runs."""
    job = job_of(key)
    return job is not None and job.alive


def find_job(key: str, verbs: tuple[str, ...]) -> None:
    """When a page is opened, take up the job with one of these verbs that runs, or ended last and left nothing."""
    if st.session_state[state.TURNED] and st.session_state[key] is None:
        found = last_unread(verbs)
        st.session_state[key] = found.id if found else None


def follow_job(key: str) -> Launch | None:
    """Show the progress of a session key's job while it runs, or its error; give the job back once it is done."""
    job = job_of(key)
    if job is None:
        return None
    if job.alive:
        st.fragment(_show_running, run_every=SECONDS_BETWEEN_LOOKS)(key)
        return None
    if job.state == "done":
        return job
    _show_ended(key, job)
    return None


def _show_running(key: str) -> None:
    job = job_of(key)
    if job is None or not job.alive:
        st.rerun()
    with st.container(border=True):
        progress = job.progress
        stage = progress.stage if progress else "Starting" if job.state == "running" else "Waiting for its turn"
        st.progress(min(1.0, progress.fraction or 0.0) if progress else 0.0, text=plain(stage))
        st.html(f'<p class="pr-note">{escaped(_figures(job))}</p>')
        st.code(job.command, language=None, wrap_lines=True)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Cancel", icon=":material/close:", key=f"cancel_{key}", on_click=cancel, args=(job.id,))
            _show_log(key, job)


def _figures(job: Launch) -> Cell:
    """How far, how fast, how much longer."""
    progress = job.progress
    if progress is None:
        return "waiting for its first report"
    parts = [count_of(progress.count, progress.unit, progress.unit)]
    if progress.fraction is not None:
        parts.append(percent(progress.fraction))
    if progress.rate_per_second:
        parts.append(f"{progress.rate_per_second:,.0f} {progress.unit} a second")
    if progress.remaining_seconds is not None:
        parts.append(f"{duration(progress.remaining_seconds)} left")
    else:
        parts.append(f"{duration(progress.elapsed_seconds)} so far")
    return Html("".join(f"<span>{escaped(part)}</span>" for part in parts))


def _show_ended(key: str, job: Launch) -> None:
    """How a job ended that left nothing, and the ways on: from where it stood, from the start, or none."""
    words = {"failed": "The job failed.", "cancelled": "The job was cancelled.", "crashed": "The job ended by itself."}
    show = st.info if job.state == "cancelled" else st.error
    show(plain(job.error or words.get(job.state, job.state)), icon=":material/error:")
    when = f"{job_name(job)}, {job.state} {moment(job.ended or job.started)}"
    st.html(f'<p class="pr-note"><span>{escaped(when)}</span></p>')
    st.code(job.command, language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.resumable:
            st.button("Resume", icon=":material/resume:", key=f"resume_{key}", on_click=_again, args=(key, resume))
        st.button("Retry", icon=":material/replay:", key=f"retry_{key}", on_click=_again, args=(key, retry))
        st.button("Dismiss", key=f"dismiss_{key}", on_click=_dismiss, args=(key,))
        _show_log(key, job)


def _again(key: str, do: Callable[[str], Launch]) -> None:
    st.session_state[key] = do(st.session_state[key]).id


def _dismiss(key: str) -> None:
    dismiss(st.session_state[key])
    forget_job(key)


def is_news(job: Launch) -> bool:
    """Whether this is the first time that the session meets this job at its end."""
    new = st.session_state[state.LAST_DONE] != job.id
    st.session_state[state.LAST_DONE] = job.id
    return new


def show_done(key: str, words: str) -> None:
    """Say what a job made, with proof, until it is dismissed."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success(words, icon=":material/check_circle:")
        st.button("Dismiss", key=f"dismiss_{key}", on_click=forget_job, args=(key,))


def forget_job(key: str) -> None:
    st.session_state[key] = None


def _show_log(key: str, job: Launch) -> None:
    if job.log_tail:
        with st.popover("Log", key=f"log_{key}_{job.id}"):
            st.code(job.log_tail, language=None)
