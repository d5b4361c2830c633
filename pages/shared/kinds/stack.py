"""What Train shows of a stack: which runs of the dataset's exam it weighs, and why others cannot stand in it."""

import streamlit as st

from pages.shared import runs_cached
from pages.shared.widgets import distinct, empty_card, escaped, page_of, sentence, table
from pricer.curation.dataset import Dataset
from pricer.figures.formats import count, count_of, dollars
from pricer.runs.stacking import part_asked, why_left_out, why_no_stack
from pricer.runs.store import Run


def choose_runs(dataset: Dataset, runs: list[Run]) -> tuple[str, ...] | None:
    """The ids of the runs to weigh; None, and a word on what to do, where no two can be stacked on this dataset."""
    near = [run for run in runs if run.manifest.exam_hash == dataset.manifest.exam_hash]
    reasons = {run.id: why_left_out(run, dataset) for run in near}
    fitting = [run for run in near if not reasons[run.id]]
    if wrong := why_no_stack(dataset):
        _show_empty("No stack on this dataset.", sentence(wrong))
        return None
    if len(fitting) < 2:
        _show_empty(
            "No two runs to stack yet.",
            f"A stack weighs runs of one exam, and {count(len(fitting))} on this one can be weighed. Train two models "
            "of different families first.",
        )
        chosen = None
    else:
        chosen = _choose(dataset, fitting)
    _show_others([run for run in near if reasons[run.id]], reasons, len(runs) - len(near))
    return chosen


def draft_runs(dataset: Dataset, of: tuple[str, ...], runs: list[Run]) -> None:
    """Let the choice stand as an order names it, by ids or names."""
    st.session_state[_key(dataset)] = [run.id for run in runs if run.id in of or run.name in of]


def _key(dataset: Dataset) -> str:
    return f"train_stack_{dataset.manifest.exam_hash}"


def _show_empty(missing: str, words: str) -> None:
    with st.container(border=True):
        empty_card(missing, words)


def _choose(dataset: Dataset, fitting: list[Run]) -> tuple[str, ...]:
    errors = runs_cached.run_errors(fitting)
    fitting = sorted(fitting, key=lambda run: (errors[run.id] is None, errors[run.id]))
    names = distinct({run.id: _label(run, errors[run.id]) for run in fitting})
    st.session_state[_key(dataset)] = [run_id for run_id in st.session_state.get(_key(dataset), []) if run_id in names]
    chosen = st.multiselect(
        "Runs to weigh, the least error first",
        list(names),
        format_func=names.get,
        key=_key(dataset),
        placeholder="Choose two or more",
        wrap=True,
        help="Models that err differently help each other most. All must have been asked the same part of the exam.",
        persist_state="session",
    )
    return tuple(chosen)


def _label(run: Run, error: float | None) -> str:
    asked = "" if (run.manifest.asked, run.manifest.first_k) == ("both", None) else f", {part_asked(run)}"
    return f"{run.name}, {dollars(error)}{asked}"


def _show_others(others: list[Run], reasons: dict[str, str | None], elsewhere: int) -> None:
    if others:
        words = f"{count_of(len(others), 'run')} on this exam cannot be stacked"
        with st.expander(words, icon=":material/block:", key="train_stack_others"):
            shown = page_of(others, "run", "train_stack_page")
            table(["Run", "Why not"], [(run.name, sentence(f"it {reasons[run.id]}")) for run in shown])
    if elsewhere:
        words = f"{count_of(elsewhere, 'run was', 'runs were')} graded on another exam, and can be stacked only there."
        st.html(f'<p class="pr-note"><span>{escaped(words)}</span></p>')
