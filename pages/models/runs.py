"""Runs: everything that is queued, running and done, for everyone who looks."""

import polars as pl
import streamlit as st

from pages.shared import cached, state
from pages.shared.jobs import SECONDS_BETWEEN_LOOKS, command_of
from pages.shared.learned import show_learned
from pages.shared.look import look
from pages.shared.shelf import OWN_EXAM
from pages.shared.widgets import (
    Cell,
    Html,
    chart,
    chart_head,
    distinct,
    empty_card,
    escaped,
    generated_badge,
    judgement,
    key_figures,
    named,
    page_head,
    page_of,
    plain,
    progress_bar,
    table,
)
from pricer.evaluation.errors import Metrics
from pricer.evaluation.running import running_error
from pricer.figures.formats import NOT_MEASURED, count, count_of, dollars, duration, moment, percent, short_hash
from pricer.figures.running import running_error_chart
from pricer.models import MODELS
from pricer.models.registry import find_kind
from pricer.runs.history import Entry, history, job_name
from pricer.runs.importing import IMPORTED
from pricer.runs.launch import Launch, cancel, list_launches, open_launch
from pricer.runs.orders import order_arguments, read_order
from pricer.runs.store import Run
from pricer.runs.training import Order, live_guesses

LAST_GUESSES = 12
EXPLANATION = """
A **job** is a command that runs in the background, the same that a person could type. It goes on when the browser or
the server is closed. Heavy jobs (loading, training) wait for each other in a queue.

While a model guesses, each item is shown with its price, its guess and a judgement: **good** if the guess is less than
\\$40 or 20% off, **fair** below \\$80 or 40%, otherwise **poor**. The running error is the mean until then; its band is
1.96 standard errors to either side.

A job that failed, crashed or was cancelled leaves no run, and no row on the leaderboard.
"""
ORDINALS = {1: "1st", 2: "2nd", 3: "3rd"}


# In work


def alive_jobs() -> list[Launch]:
    """What runs, then what is queued, the oldest first."""
    alive = [job for job in reversed(list_launches()) if job.alive]
    return sorted(alive, key=lambda job: job.state == "queued")


def show_in_work(known: list[str]) -> None:
    """The table of jobs that are not over; runs again by itself until one of them is."""
    jobs = alive_jobs()
    if [job.id for job in jobs] != known:
        st.rerun()
    queued = [job.id for job in jobs if job.state == "queued"]
    chart_head("In work")
    rows = [_work_row(job, queued) for job in jobs]
    table(["Run", "State", "Progress", "Rate", "Left"], rows, right=(3, 4))


def _work_row(job: Launch, queued: list[str]) -> tuple[Cell, ...]:
    progress = job.progress
    name = Html(f"<b>{escaped(job_name(job))}</b>") if job.state == "running" else job_name(job)
    if progress is None:
        place = queued.index(job.id) + 1 if job.id in queued else 0
        words = f"queued, {ORDINALS.get(place, f'{place}th')}" if place else "starting"
        return name, words, progress_bar(0), NOT_MEASURED, NOT_MEASURED
    rate = f"{progress.rate_per_second:,.0f} {progress.unit}/s" if progress.rate_per_second else NOT_MEASURED
    return name, progress.stage.lower(), progress_bar(progress.fraction), rate, duration(progress.remaining_seconds)


# One run


def choose_entry(entries: list[Entry]) -> Entry:
    by_id = {entry.id: entry for entry in entries}
    if st.session_state[state.SHOWN_RUN] not in by_id:
        running = (entry.id for entry in entries if entry.state == "running")
        st.session_state[state.SHOWN_RUN] = next(running, entries[0].id)
    names = distinct({entry.id: f"{entry.name}, {entry.state}, {moment(entry.began)}" for entry in entries})
    st.selectbox(
        "Show run", list(names), format_func=names.get, key=state.SHOWN_RUN, width=560, persist_state="session"
    )
    return by_id[st.session_state[state.SHOWN_RUN]]


def show_alive(job_id: str) -> None:
    """A job at work: how far it is, and what it guesses; runs again by itself until the job is over."""
    job = open_launch(job_id)
    if not job.alive:
        st.rerun()
    guessed = live_guesses(job_id)
    errors = running_error(guessed["error"].to_numpy())
    _show_pace(job, errors)
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
    if progress:
        share = f"{percent(progress.fraction)} of this stage" if progress.fraction is not None else "so far"
        figures = [
            (progress.stage, count(progress.count), f"{progress.unit}, {share}"),
            ("Elapsed", duration(progress.elapsed_seconds), f"{duration(progress.remaining_seconds)} left"),
        ]
    if len(errors):
        mean, high = errors["mean"][-1], errors["high"][-1]
        band = "after one guess" if high is None else f"± {high - mean:,.2f}"
        figures.insert(0, ("Error so far", dollars(mean), band))
    key_figures(figures)


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


def show_done(run: Run) -> None:
    """A run that stands: how it did, on which exam."""
    manifest, reading = run.manifest, reading_of(run)
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


def reading_of(run: Run) -> str:
    """The exam that a run was asked; natural where it was asked both."""
    return "balanced" if run.manifest.asked == "balanced" else "natural"


def exam_of(run: Run) -> str:
    return OWN_EXAM if run.manifest.split == "naive" else f"{reading_of(run)} exam"


def show_ended(job: Launch) -> None:
    words = {"failed": "The job failed.", "cancelled": "The job was cancelled.", "crashed": "The job ended by itself."}
    show = st.info if job.state == "cancelled" else st.error
    show(plain(job.error or words.get(job.state, job.state)), icon=":material/error:")


def show_views(entry: Entry) -> None:
    """Log, exact settings and command of a run."""
    names = ["Settings", "Command", *(["Log"] if entry.job else []), *(["What it learned"] if entry.run else [])]
    tabs = dict(zip(names, st.tabs(names, key=f"views_{entry.id}", on_change="rerun"), strict=True))
    with tabs["Settings"]:
        table(["Setting", "Value"], settings_of(entry.run) if entry.run else settings_ordered(entry.job))
    with tabs["Command"]:
        st.code(entry.job.command if entry.job else command_of_run(entry.run), language=None, wrap_lines=True)
    if entry.job:
        with tabs["Log"]:
            st.code(entry.job.log_tail or "nothing yet", language=None)
    if entry.run and tabs["What it learned"].open:
        with tabs["What it learned"]:
            show_learned(entry.run)


def settings_ordered(job: Launch) -> list[tuple[Cell, Cell]]:
    """What a job was told; the rest is written down when its run is done."""
    order = read_order(job.arguments)
    if order is None:
        return [("Command", job.command)]
    return [
        ("Model", order.model),
        ("Its settings", _in_words(find_kind(order.model).check_settings(order.settings))),
        ("Seed", str(order.seed)),
        ("Dataset", order.dataset),
        ("Train", f"first {count_of(order.first_n, 'item')}" if order.first_n else "all items"),
        ("Exam", f"{order.asked}, " + (f"first {count_of(order.first_k, 'item')}" if order.first_k else "all items")),
    ]


def _in_words(settings: dict[str, int | float]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in settings.items()) or "none"


def settings_of(run: Run) -> list[tuple[Cell, Cell]]:
    """Everything that the run's figures depend on, in words."""
    it = run.manifest
    first_n = f"first {count(it.first_n)}, " if it.first_n else ""
    first_k = f", first {count(it.first_k)}" if it.first_k else ""
    exam = OWN_EXAM if it.split == "naive" else it.asked
    return [
        ("Model", f"{it.model}, {it.family}"),
        ("Its settings", _in_words(it.model_settings)),
        ("Seed", str(it.seed)),
        ("Dataset", f"{it.dataset_name}, {it.dataset_id}"),
        ("Train", f"{first_n}{count_of(it.train_items, 'item')}, {short_hash(it.dataset_hash)}"),
        ("Catalogue", f"{it.catalogue_name}@{it.catalogue_version}, {short_hash(it.catalogue_hash)}"),
        ("Exam", f"{exam}{first_k}: {count_of(it.asked_items, 'item')}, {short_hash(it.exam_hash)}"),
        ("No answer counts as", f"{dollars(it.train_median)}, the train median"),
        ("Cost", dollars(it.cost_dollars)),
        ("Pricer", f"{it.pricer_version}, code {it.code_version}"),
        ("Run", it.id),
    ]


def command_of_run(run: Run) -> str:
    """What to type for the same run again."""
    it = run.manifest
    settings = {name: value for name, value in it.model_settings.items() if value != _default(it.model, name)}
    if it.model == IMPORTED:
        stated = (f"--dataset={it.dataset_name}", f"--name={it.name}", f"--family={it.family}")
        return command_of(["import-guesses", "FILE.csv", *stated])
    order = Order(it.model, it.dataset_name, settings, it.seed, it.first_n, it.asked, it.first_k, of=it.of)
    return command_of(order_arguments(order))


def _default(model: str, setting: str) -> int | float | None:
    known = MODELS[model].settings if model in MODELS else ()
    return next((each.default for each in known if each.name == setting), None)


# All that is over


def show_over(entries: list[Entry]) -> None:
    over = [entry for entry in entries if not entry.alive]
    if not over:
        return
    chart_head("Done", "Error on the natural exam, or on the balanced one where only that was asked")
    place = st.container()
    shown = page_of(over, "run", "over_page")
    with place:
        columns = ["Run", "Family", "Error", "Fit", "Train items", "Dollars per 1,000", "Finished"]
        table(columns, [_over_row(entry) for entry in shown], right=(2, 3, 4, 5))


def _over_row(entry: Entry) -> tuple[Cell, ...]:
    if entry.run is None:
        name = Html(f'{escaped(entry.name)}<span class="pr-badge">{entry.state}</span>')
        return name, *[NOT_MEASURED] * 5, moment(entry.job.ended or entry.began)
    it = entry.run.manifest
    own = f'<span class="pr-badge">{OWN_EXAM}</span>' if it.split == "naive" else ""
    name = Html(f"<b>{escaped(entry.name)}</b>{generated_badge(it.generated).text}{own}")
    error = cached.run_metrics(entry.run, reading_of(entry.run)).error
    cost = dollars(1000 * it.cost_dollars / max(1, it.asked_items))
    return name, it.family, dollars(error), duration(it.fit_seconds), count(it.train_items), cost, moment(it.created)


page_head("Runs", "Everything that is queued, running and done, for everyone who looks.", EXPLANATION)
entries, at_work = history(), [job.id for job in alive_jobs()]
if not entries and not at_work:
    with st.container(border=True):
        empty_card("No run yet.", "Train fits a model on a dataset and grades it on the exam.")
        st.page_link("models/train.py", label="Open Train", icon=":material/arrow_forward:")
    st.stop()
if at_work:
    st.fragment(show_in_work, run_every=SECONDS_BETWEEN_LOOKS)(at_work)
if entries:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        entry = choose_entry(entries)
        if entry.alive:
            st.button("Cancel", icon=":material/close:", key=f"cancel_{entry.id}", on_click=cancel, args=(entry.id,))
        if entry.run:
            st.page_link("results/compare.py", label="Open Compare", icon=":material/arrow_forward:")
    if entry.alive:
        st.fragment(show_alive, run_every=SECONDS_BETWEEN_LOOKS)(entry.id)
    elif entry.run:
        show_done(entry.run)
    else:
        show_ended(entry.job)
    show_views(entry)
    show_over(entries)
