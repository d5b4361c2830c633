"""One entry of the page Runs: at work, done, or ended without a run; and its settings, command and log."""

from datetime import UTC, datetime

import polars as pl
import streamlit as st

from pages.shared import cached
from pages.shared.jobs import SECONDS_BETWEEN_LOOKS, command_of
from pages.shared.learned import show_learned
from pages.shared.look import look
from pages.shared.runs.curves import show_live_curves
from pages.shared.runs.meters import peaks_of, show_meters
from pages.shared.shelf import OWN_EXAM
from pages.shared.widgets import Cell, chart, chart_head, escaped, judgement, key_figures, named, plain, table
from pricer.evaluation.errors import Metrics
from pricer.evaluation.running import running_error
from pricer.figures.formats import count, count_of, dollars, duration, moment, percent, short_hash
from pricer.figures.running import running_error_chart
from pricer.models import Value, settings_in_words
from pricer.models.registry import find_kind
from pricer.runs.asking import live_guesses
from pricer.runs.history import Entry
from pricer.runs.importing import IMPORTED
from pricer.runs.launch import Launch, open_launch
from pricer.runs.orders import order_arguments, order_of, read_order
from pricer.runs.store import Run
from pricer.runs.training import Order

LAST_GUESSES = 12
ENDS = {
    "failed": "The job failed.",
    "cancelled": "The job was cancelled.",
    "crashed": "The job ended by itself.",
}
CRASHES = {
    "killed": "Its process was killed.",
    "frozen": "Its process was frozen.",
    "out of memory": "Memory ran out.",
    "lost": "Its worker was lost.",
}


# At work


def show_alive(job_id: str) -> None:
    """A job at work: how far it is, and what it guesses; runs again by itself until the job is over."""
    job = open_launch(job_id)
    if not job.alive:
        st.rerun()
    guessed = live_guesses(job_id)
    errors = running_error(guessed["error"].to_numpy())
    show_attempts(job)
    _show_pace(job, errors)
    show_live_curves(job_id)
    if job.state == "running":
        show_meters(job_id, "live_meter")
    if len(guessed):
        left, right = st.columns(2, gap="large")
        with left:
            chart(
                running_error_chart({"error": errors}, look(), height=320),
                "Running error",
                alt=f"Mean error after each of {count_of(len(guessed), 'guess', 'guesses')}.",
                key="chart_live",
                note="Mean error by number of items asked, with its 95% band",
            )
        with right:
            show_last_guesses(guessed)


def _show_pace(job: Launch, errors: pl.DataFrame) -> None:
    progress = job.progress
    figures = [("State", job.state, f"since {moment(job.started)}")]
    if progress and job.state == "running":
        share = f"{percent(progress.fraction)} of this stage" if progress.fraction is not None else "so far"
        elapsed = (datetime.now(UTC) - job.started).total_seconds()
        figures = [
            (progress.stage, count(progress.count), f"{progress.unit}, {share}"),
            ("Elapsed", duration(max(0.0, elapsed)), _left(progress.remaining_seconds)),
        ]
    if len(errors):
        mean, high = errors["mean"][-1], errors["high"][-1]
        band = "after one guess" if high is None else f"± {high - mean:,.2f}"
        figures.insert(0, ("Error so far", dollars(mean), band))
    key_figures(figures)


def _left(seconds: float | None) -> str:
    return "since its start" if seconds is None else f"since its start, {duration(seconds)} left of this stage"


def show_last_guesses(guessed: pl.DataFrame) -> None:
    """The items that were asked last, the newest on top."""
    chart_head("Guess by guess", f"The last {min(LAST_GUESSES, len(guessed))} of {count(len(guessed))}, newest on top")
    rows = [
        (_short(row["title"]), dollars(row["price"]), dollars(row["guess"]), judgement(row["colour"]))
        for row in guessed.tail(LAST_GUESSES).reverse().iter_rows(named=True)
    ]
    table(["Product", "Price", "Guess", ""], rows, right=(1, 2))


def _short(title: str, longest: int = 42) -> str:
    return title if len(title) <= longest else title[: longest - 1].rstrip() + "…"


def show_attempts(job: Launch) -> None:
    """What became of earlier attempts of a job that is tried again."""
    if job.alive and job.why:
        again = f"It is tried again at {moment(job.next_at)}." if job.next_at else f"This is attempt {job.attempt}."
        st.warning(plain(f"{_crash(job)} {again}"), icon=":material/replay:")
        st.html(f'<p class="pr-note">{_lines(job.why)}</p>')


def _crash(job: Launch) -> str:
    return CRASHES.get(job.crash or "", "An earlier attempt ended by itself.")


def _lines(text: str) -> str:
    return "<br>".join(escaped(line) for line in text.splitlines())


# Over


def show_done(run: Run) -> None:
    """A run that stands: how it did, on which exam."""
    manifest, reading = run.manifest, run.reading
    found = cached.run_metrics(run, reading)
    key_figures(
        [
            ("Error", dollars(found.error), _interval(found)),
            ("Within 20%", percent(found.within_20), f"of {count_of(found.items, 'item')}, {exam_of(run)}"),
            ("Fit", duration(manifest.fit_seconds), f"on {count_of(manifest.train_items, 'item')}"),
            ("Asked", duration(manifest.guess_seconds), f"{count_of(manifest.asked_items, 'item')}"),
        ]
    )
    table_of_errors = cached.running(run, reading)
    if len(table_of_errors):
        chart(
            running_error_chart({run.name: table_of_errors}, look(), height=230),
            named("Running error", manifest.generated),
            alt=f"Mean error of {run.name} by number of items asked, at last {dollars(found.error)}.",
            key="chart_done",
            note="Mean error by number of items asked, with its 95% band",
        )


def _interval(found: Metrics) -> str:
    if found.error_low is None:
        return "too few items for an interval"
    return f"95% interval {dollars(found.error_low)} to {dollars(found.error_high)}"


def exam_of(run: Run) -> str:
    return OWN_EXAM if run.manifest.split == "naive" else f"{run.reading} exam"


def show_ended(job: Launch) -> None:
    """A job that left no run: how it ended, and what became of each attempt."""
    show = st.info if job.state == "cancelled" else st.error
    if job.state == "done":
        st.info("The job is done, and the run that it made is deleted.", icon=":material/info:")
        return
    how = CRASHES.get(job.crash or "", "") if job.state == "crashed" else ""
    said = " ".join(filter(None, (how, job.error or ENDS.get(job.state, job.state))))
    show(plain(said), icon=":material/error:")
    if job.why:
        st.html(f'<p class="pr-note">{_lines(job.why)}</p>')


# Views


def show_views(entry: Entry) -> None:
    """Log, exact settings and command of a run."""
    order = None if entry.run else read_order(entry.job.arguments)
    names = [*(["Settings"] if entry.run or order else []), "Command", *(["Log", "Machine"] if entry.job else [])]
    names += ["What it learned"] if entry.run else []
    tabs = dict(zip(names, st.tabs(names, key=f"views_{entry.id}", on_change="rerun"), strict=True))
    if "Settings" in tabs:
        with tabs["Settings"]:
            table(["Setting", "Value"], settings_of(entry.run) if entry.run else settings_ordered(order))
    with tabs["Command"]:
        st.code(entry.job.command if entry.job else command_of_run(entry.run), language=None, wrap_lines=True)
    if entry.job:
        with tabs["Log"]:
            st.fragment(_show_log, run_every=SECONDS_BETWEEN_LOOKS if entry.alive else None)(entry.id)
    if entry.job and tabs["Machine"].open:
        with tabs["Machine"]:
            show_machine(entry.job)
    if entry.run and tabs["What it learned"].open:
        with tabs["What it learned"]:
            show_learned(entry.run)


def _show_log(job_id: str) -> None:
    """The last lines that a job printed; runs again by itself while it is at work."""
    st.code(open_launch(job_id).log_tail or "nothing yet", language=None)


def show_machine(job: Launch) -> None:
    """What the job took of the machine, once it is over; while it works that is shown above."""
    if job.alive:
        st.html('<p class="pr-note">Its memory and processor are shown above while it runs.</p>')
        return
    table(["What", "How much"], peaks_of(job.id))
    show_meters(job.id, "meter")


def settings_ordered(order: Order) -> list[tuple[Cell, Cell]]:
    """What a job was told; the rest is written down when its run is done."""
    return [
        ("Model", order.model),
        ("Its settings", _settings(order.model, find_kind(order.model).check_settings(order.settings))),
        ("Seed", str(order.seed)),
        ("Dataset", order.dataset),
        ("Train", f"first {count_of(order.first_n, 'item')}" if order.first_n else "all items"),
        ("Exam", f"{order.asked}, " + (f"first {count_of(order.first_k, 'item')}" if order.first_k else "all items")),
    ]


def _settings(model: str, settings: dict[str, Value]) -> str:
    return settings_in_words(model, settings) or "none"


def settings_of(run: Run) -> list[tuple[Cell, Cell]]:
    """Everything that the run's figures depend on, in words."""
    it = run.manifest
    first_n = f"first {count(it.first_n)}, " if it.first_n else ""
    first_k = f", first {count(it.first_k)}" if it.first_k else ""
    exam = OWN_EXAM if it.split == "naive" else it.asked
    return [
        ("Model", f"{it.model}, {it.family}"),
        ("Its settings", _settings(it.model, it.model_settings)),
        ("Seed", str(it.seed)),
        ("Dataset", f"{it.dataset_name}, {it.dataset_id}"),
        ("Train", f"{first_n}{count_of(it.train_items, 'item')}, {short_hash(it.dataset_hash)}"),
        ("Catalogue", f"{it.catalogue_name}@{it.catalogue_version}, {short_hash(it.catalogue_hash)}"),
        ("Exam", f"{exam}{first_k}: {count_of(it.asked_items, 'item')}, {short_hash(it.exam_hash)}"),
        ("No answer counts as", f"{dollars(it.train_median)}, the train median"),
        ("Cost", dollars(it.cost_dollars)),
        *peaks_of(it.job_id),
        ("Pricer", f"{it.pricer_version}, code {it.code_version}"),
        ("Run", it.id),
        *([("Extends run", it.extends)] if it.extends else []),
    ]


def command_of_run(run: Run) -> str:
    """What to type for the same run again."""
    it = run.manifest
    if it.model == IMPORTED:
        stated = (f"--dataset={it.dataset_name}", f"--name={it.name}", f"--family={it.family}")
        return command_of(["import-guesses", "FILE.csv", *stated])
    return command_of(order_arguments(order_of(run)))
