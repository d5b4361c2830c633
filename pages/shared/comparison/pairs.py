"""Compare's every two runs: a triangle of differences, and the table of all."""

from dataclasses import asdict

import polars as pl
import streamlit as st

from pages.shared import cached
from pages.shared.look import look
from pages.shared.widgets import chart_head, downloads, draw, empty_card, page_of, table
from pricer.evaluation.matrix import Matrix
from pricer.evaluation.scoring import Scoring
from pricer.figures.findings import settling
from pricer.figures.formats import NOT_MEASURED, count, dollars, in_words
from pricer.figures.matrix import MOST, matrix_chart, matrix_finding
from pricer.runs.store import Run, names_of


def show(runs: list[Run], reading: str, scoring: Scoring) -> None:
    if len(runs) < 2:
        with st.container(border=True):
            empty_card("One run makes no pair.", "Train another model on a dataset with this exam.")
            st.page_link("models/train.py", label="Open Train", icon=":material/arrow_forward:")
        return
    joint = st.toggle(
        "Hold all pairs together",
        key="compare_joint",
        persist_state="session",
        help="Each interval alone is wrong 1 time in 20, so among many pairs some differ by chance. Together, all of "
        "them are right 19 times in 20; they are wider for it.",
    )
    matrix, names = cached.matrix(runs, reading, scoring, joint), names_of(runs)
    ordered = [names[run] for run in matrix.runs]
    pairs = {
        (row, column): asdict(matrix.pair(matrix.runs[row], matrix.runs[column]))
        for row in range(len(ordered))
        for column in range(row)
    }
    chart_head(matrix_finding(matrix.ties, len(pairs)), _note(len(ordered), len(pairs), joint))
    with st.container(key="scroll_pairs"), st.container(key="scrolled_pairs"):
        alt = f"Differences of {in_words(len(pairs))} pairs of runs; the table below has the same numbers."
        draw(matrix_chart(ordered, pairs, look()), alt, "chart_pairs", "pairs")
    _show_table(matrix, names, reading)


def _note(runs: int, pairs: int, joint: bool) -> str:
    words = "dollars that the row's run errs more than the column's, on the items that both were asked; grey: tied"
    if runs > MOST:
        words += f"; the {in_words(MOST)} best of {in_words(runs)} runs are drawn"
    if not joint and pairs > 2:
        chance = 0.05 * pairs
        about = count(round(chance)) if chance >= 10 else f"{chance:.1f}"
        words += f". Of {in_words(pairs)} equal pairs about {about} would differ by chance alone"
    return words


def _show_table(matrix: Matrix, names: dict[str, str], reading: str) -> None:
    rows = [
        {"run": names[run], "against": names[other]} | asdict(matrix.pair(run, other)) for run, other in matrix.pairs
    ]
    cells = [
        (
            row["run"],
            row["against"],
            dollars(row["difference"]),
            NOT_MEASURED if row["low"] is None else f"{dollars(row['low'])} to {dollars(row['high'])}",
            "tie" if row["tied"] else "differ",
            settling(row["items_to_settle"]) if row["items_to_settle"] else "",
            count(row["items"]),
        )
        for row in page_of(rows, "pair", "pairs_page")
    ]
    columns = ["Run", "Against", "Errs more by", "95% interval", "", "", "Items"]
    table(columns, cells, right=(2, 3, 6))
    downloads(pl.DataFrame(rows, infer_schema_length=None), f"pairs-{reading}")
