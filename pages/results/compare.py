"""Compare: which model is best, by how much, and where each one fails."""

import streamlit as st

from pages.shared import experiments, shelf, state
from pages.shared.comparison import costs, failures, leaderboard, pairs, parts, ranges, versus
from pages.shared.comparison.switches import choose_scoring, tell_scoring
from pages.shared.share import show_share
from pages.shared.widgets import empty_card, page_head
from pricer.figures.formats import count
from pricer.runs.store import Run, list_runs

READINGS = {"natural": "Natural", "balanced": "Balanced"}
SECTIONS = {
    "leaderboard": ("Leaderboard", leaderboard.show),
    "versus": ("Two models", versus.show),
    "pairs": ("All pairs", pairs.show),
    "parts": ("By part", parts.show),
    "ranges": ("Ranges", ranges.show),
    "failures": ("Failures", failures.show),
    "costs": ("Cost", costs.show),
    "experiments": (
        "Experiments",
        lambda runs, reading, scoring: experiments.show(runs[0].manifest.exam_hash, reading, scoring),
    ),
}
UNTOUCHED = ("ranges", "experiments")  # sections that scoring changes nothing of
EXPLANATION = """
Every run on this page was graded on the **same exam**, whose items no model was trained on. Read as **natural** it is
the market as it is; read as **balanced**, each of eight price bands weighs the same.

Two models are **tied** if the 95% interval of their difference *on the same items* holds zero. Overlapping intervals
of their errors say little about that: both models find the same items hard.

Intervals come from a bootstrap that draws groups of near-duplicates, not single items.

An **own exam** belongs to a dataset that was split naively, as the notebooks did: near-duplicates of its items may be
in train. Its runs are ranked among themselves, and only there are errors on leaked and on clean items shown.

**Scoring** reads the stored guesses by other rules, at once and without asking a model again. A **range** comes from a
run's own distribution, or from how far its guesses of validation were off.
"""


def choose_reading() -> str:
    return st.segmented_control(
        "Read as", READINGS, required=True, format_func=READINGS.get, key=state.READING, persist_state="session"
    )


def choose_section() -> str:
    return st.segmented_control(
        "Show",
        SECTIONS,
        required=True,
        format_func=lambda name: SECTIONS[name][0],
        key=state.SECTION,
        label_visibility="collapsed",
        persist_state="session",
    )


def tell_other_exams(runs: list[Run], every_run: list[Run]) -> None:
    """Say which runs cannot be ranked with these, and where they are to be found."""
    rest = len(every_run) - len(runs)
    if rest:
        others = "1 run was graded on another exam" if rest == 1 else f"{count(rest)} runs were graded on other exams"
        words = "errors on different items are never ranked together. Choose another exam above to compare its runs."
        st.html(f'<p class="pr-note"><span>{others}: {words}</span></p>')


page_head("Compare", "Which model is best, by how much, and where each one fails.", EXPLANATION, figures=True)
every_run = list_runs()
if not every_run:
    with st.container(border=True):
        empty_card("No run yet.", "Train at least two models on one dataset, and this page says which is better.")
        st.page_link("models/train.py", label="Open Train", icon=":material/arrow_forward:")
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom"):
    runs = shelf.choose_exam(every_run)
    reading = "natural" if leaderboard.is_own_exam(runs) else choose_reading()
    place = st.container(width="content")
tell_other_exams(runs, every_run)
section = choose_section()
with place:
    scoring = choose_scoring(runs)
tell_scoring(scoring, section not in UNTOUCHED)
SECTIONS[section][1](runs, reading, scoring)
show_share(runs, reading, scoring)
