"""The runs of an experiment: what stands, what is at work, and the one button for what is missing."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.shared import cached
from pages.shared.jobs import SECONDS_BETWEEN_LOOKS, command_of
from pages.shared.widgets import Cell, Html, chart_head, escaped, plain, progress_bar, table
from pricer.errors import PricerError
from pricer.figures.formats import NOT_MEASURED, count, count_of, dollars, duration
from pricer.runs.experiments import LabelledOrder, Part, check_memory_of, launch_missing, missing, read_parts
from pricer.runs.launch import cancel
from pricer.runs.orders import order_arguments

Orders = Callable[[], Sequence[LabelledOrder]]


def show_parts(key: str, title: str, orders: Orders, reading: str, verb: list[str]) -> list[Part]:
    """The table of an experiment's runs and the button that launches those that are missing; gives them as they stand.

    `orders` is asked again at each look, for an experiment may wait with an order until others have ended; `verb` is
    the command that does the same as the button. While jobs are at work, the table follows them by itself.
    """
    parts = read_parts(orders())
    at_work = any(part.job and part.job.alive for part in parts)
    chart_head(title, "each run is graded on the same exam; runs that stand already are taken as they are")
    if at_work:
        st.fragment(_follow, run_every=SECONDS_BETWEEN_LOOKS)(orders, reading, _ended(parts))
    else:
        _show_table(parts, reading)
    _show_failures(parts)
    _show_actions(key, parts, verb, at_work)
    return parts


def _ended(parts: Sequence[Part]) -> list[str]:
    return [part.state for part in parts if not (part.job and part.job.alive)]


def _follow(orders: Orders, reading: str, ended: list[str]) -> None:
    parts = read_parts(orders())
    if _ended(parts) != ended:
        st.rerun()
    _show_table(parts, reading)


def _show_table(parts: Sequence[Part], reading: str) -> None:
    table(
        ["Run", "Train items", "State", "Error", "Time to fit"],
        [_row(part, reading) for part in parts],
        right=(1, 3, 4),
    )


def _row(part: Part, reading: str) -> tuple[Cell, ...]:
    if part.run:
        found = cached.run_metrics(part.run, reading)
        error = Html(f"<b>{escaped(dollars(found.error))}</b>")
        return part.name, count(part.train_items), "done", error, duration(part.run.manifest.fit_seconds)
    return part.name, count(part.train_items), _state(part), NOT_MEASURED, about(part.seconds)


def about(seconds: float) -> str:
    """An estimate in words."""
    return f"about {duration(seconds)}" if seconds >= 1 else duration(seconds)


def _state(part: Part) -> Cell:
    progress = part.job.progress if part.job and part.job.alive else None
    if progress is None or part.state == "queued":
        return part.state
    left = "" if progress.remaining_seconds is None else f", {duration(progress.remaining_seconds)} left"
    return Html(f"{escaped(progress.stage.lower() + left)} {progress_bar(progress.fraction).text}")


def _show_failures(parts: Sequence[Part]) -> None:
    for part in parts:
        if part.state in ("failed", "crashed"):
            st.error(plain(f"{part.name}: {part.job.error or part.state}"), icon=":material/error:")


def _show_actions(key: str, parts: Sequence[Part], verb: list[str], at_work: bool) -> None:
    wanted = missing(parts)
    if not wanted and not at_work:
        return
    problem = _memory_problem(wanted)
    if problem:
        st.warning(plain(problem), icon=":material/warning:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if wanted:
            label = f"Train {count_of(len(wanted), 'missing run')}, {about(sum(part.seconds for part in wanted))}"
            if st.button(
                label, type="primary", icon=":material/play_arrow:", key=f"{key}_start", disabled=bool(problem)
            ):
                launch_missing(parts)
                st.rerun()
        if at_work:
            st.button("Cancel", icon=":material/close:", key=f"{key}_cancel", on_click=_cancel, args=(parts,))
        with st.popover("The same on the command line", type="tertiary", key=f"{key}_commands"):
            st.code(command_of([*verb, "--launch"]), language=None, wrap_lines=True)
            if wanted:
                st.html('<p class="pr-note">which launches</p>')
                commands = [command_of(order_arguments(part.order)) for part in wanted]
                st.code("\n".join(commands), language=None, wrap_lines=True)


def _memory_problem(wanted: Sequence[Part]) -> str | None:
    try:
        check_memory_of(wanted)
    except PricerError as error:
        return str(error)
    return None


def _cancel(parts: Sequence[Part]) -> None:
    for part in reversed(parts):  # the queued ones first, or the next would start
        if part.job and part.job.alive:
            cancel(part.job.id)
