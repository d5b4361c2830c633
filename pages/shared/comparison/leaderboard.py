"""Compare's leaderboard: who is first, every figure, what leaks are worth, and what kind of answers were given."""

from collections.abc import Callable

import polars as pl
import streamlit as st

from pages.shared import cached, shelf
from pages.shared.comparison.replies import show_replies
from pages.shared.comparison.terms import terms_of
from pages.shared.look import look
from pages.shared.widgets import (
    Cell,
    Html,
    chart,
    chart_head,
    downloads,
    escaped,
    family_swatches,
    named,
    page_of,
    table,
)
from pricer.evaluation.intervals import Interval
from pricer.evaluation.scoring import Scoring
from pricer.figures.formats import NOT_MEASURED, count, count_of, dollars, percent, two_digits
from pricer.figures.frontier import family_chart, family_finding
from pricer.figures.leaderboard import against_first, leaderboard_chart, leaderboard_finding, unplaced_note
from pricer.figures.leaks import own_exam_finding, own_exam_note
from pricer.runs.store import Run, names_of

MAIN = ("Error", "95% interval", "Within 20%", "Median error", "RMSLE", "R²", "Hits", "Against the first")
MORE = ("Error", "RMSE", "MAPE", "Bias", "Fair", "Poor", "Answered", "Error of answers")
FIGURES = {"main": "Main", "more": "More"}


def show(runs: list[Run], reading: str, scoring: Scoring) -> None:
    board = cached.board(runs, reading, scoring)
    by_id = {run.id: run for run in runs}
    show_leaderboard(board, runs, reading)
    if is_own_exam(runs):
        show_leaks(board, by_id, scoring)
    show_figures(board, runs[0].manifest.exam_hash, reading, terms_of(scoring))
    show_families(board)
    show_answers([by_id[run_id] for run_id in board["run"]], reading)
    show_replies([by_id[run_id] for run_id in board["run"]], reading)


def show_leaderboard(board: pl.DataFrame, runs: list[Run], reading: str) -> None:
    exam = shelf.OWN_EXAM if is_own_exam(runs) else f"{reading} exam"
    most = int(board["items"].max())
    generated = any(run.manifest.generated for run in runs)
    chart(
        leaderboard_chart(board, look()),
        named(leaderboard_finding(board), generated),
        alt="; ".join(f"{row['name']}: {dollars(row['error'])}" for row in board.iter_rows(named=True)),
        key="chart_board",
        note=f"mean error on {count_of(most, 'item')}, {exam}, 95% interval{unplaced_note(board)}",
        swatches=family_swatches(board["family"]),
        image="leaderboard",
    )


def is_own_exam(runs: list[Run]) -> bool:
    """Whether these runs were graded on an exam of a dataset's own."""
    return any(run.manifest.split == "naive" for run in runs)


def show_leaks(board: pl.DataFrame, by_id: dict[str, Run], scoring: Scoring) -> None:
    """The errors on leaked and on clean items of an own exam, the one place where there are leaked ones."""
    names = dict(board.select("run", "name").iter_rows())
    found = {run: cached.run_leaks(by_id[run], scoring) for run in names}
    most = max(found.values(), key=lambda errors: errors.leaked_items + errors.clean_items)
    learned = {run for run in found if by_id[run].manifest.family != "yardstick"} or set(found)
    chart_head(
        own_exam_finding(
            [(names[run], found[run].difference.mean, found[run].differs) for run in found if run in learned]
        ),
        own_exam_note(most.leaked_items, most.clean_items),
    )
    shown = page_of(list(found.items()), "run", "leaks_page")
    rows = [
        (
            Html(f"<b>{escaped(names[run])}</b>"),
            _with_interval(errors.leaked, errors.leaked_constant),
            _with_interval(errors.clean, errors.clean_constant),
            _with_interval(errors.difference),
            f"{count(errors.leaked_items)} + {count(errors.clean_items)}",
        )
        for run, errors in shown
    ]
    table(["Run", "On leaked items", "On clean items", "Difference", "Items"], rows, right=(1, 2, 3, 4))
    st.html(
        '<p class="pr-note"><span>Leaked items have a near-duplicate in train, clean ones have none. As they differ in '
        "price too, each error is also given as a share of what a constant guess, the median price of train, errs on "
        "the same items: a leak shows where that share is smaller.</span></p>"
    )


def _with_interval(errors: Interval, constant: float | None = None) -> Html:
    """A mean error, and in quiet lines below its interval and its share of a constant guess's error."""
    below = [] if errors.low is None else [f"{dollars(errors.low)} to {dollars(errors.high)}"]
    below += [f"{percent(errors.mean / constant)} of a constant guess's"] if constant else []
    lines = "".join(f'<br><span class="pr-quiet">{escaped(line)}</span>' for line in below)
    return Html(escaped(dollars(errors.mean)) + lines)


def show_figures(board: pl.DataFrame, exam: str, reading: str, terms: dict[str, str]) -> None:
    """Every figure of every run, each explained where it stands."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html('<div class="pr-head"><h3>All figures</h3></div>', width="content")
        with st.popover("What do they mean?", type="tertiary", key="explain_terms"):
            st.html("".join(f"<p><b>{escaped(term)}</b>: {escaped(words)}</p>" for term, words in terms.items()))
        kind = st.segmented_control(
            "Figures", FIGURES, default="main", required=True, format_func=FIGURES.get, key="compare_figures",
            label_visibility="collapsed", persist_state="session",
        )  # fmt: skip
    place = st.container()
    rows = page_of(board.to_dicts(), "run", "board_page")
    shown, cells = (MAIN, _main_figures) if kind == "main" else (MORE, _more_figures)
    with place:
        columns = ["", "Run", *(_explained(term, terms[term]) for term in shown), "Items"]
        table(columns, [_figures_row(row, cells) for row in rows], right=(0, *range(2, len(columns))))
    downloads(board, f"leaderboard-{reading}-{exam[:8]}")


def _explained(term: str, words: str) -> Html:
    return Html(f'<abbr title="{escaped(words)}" tabindex="0">{escaped(term)}</abbr>')


def _figures_row(row: dict, cells: Callable[[dict], tuple[Cell, ...]]) -> tuple[Cell, ...]:
    return count(row["place"]), Html(f"<b>{escaped(row['name'])}</b>"), *cells(row), count(row["items"])


def _main_figures(row: dict) -> tuple[Cell, ...]:
    interval = NOT_MEASURED
    if row["error_low"] is not None:
        interval = f"{dollars(row['error_low'])} to {dollars(row['error_high'])}"
    return (
        dollars(row["error"]),
        interval,
        percent(row["within_20"]),
        dollars(row["median_error"]),
        two_digits(row["rmsle"]),
        two_digits(row["r2"]),
        percent(row["hits"]),
        against_first(row),
    )


def _more_figures(row: dict) -> tuple[Cell, ...]:
    return (
        dollars(row["error"]),
        dollars(row["rmse"]),
        percent(row["mape"]),
        dollars(row["bias"]),
        percent(row["fair"]),
        percent(row["poor"]),
        percent(row["share_answered"]),
        dollars(row["error_answered"]),
    )


def show_families(board: pl.DataFrame) -> None:
    """The best run of each family, where there are several."""
    placed = board.filter(pl.col("place").is_not_null()).sort("place")
    best = placed.unique("family", keep="first", maintain_order=True)
    if len(best) < 2:
        return
    chart(
        family_chart(best, look()),
        family_finding(placed),
        alt="; ".join(f"{row['family']}: {dollars(row['error'])}" for row in best.iter_rows(named=True)),
        key="chart_families",
        note="mean error of each family's best run",
        swatches=family_swatches(best["family"]),
        image="families",
    )


def show_answers(runs: list[Run], reading: str) -> None:
    """What kind of answers the runs gave, where any is no plain answer."""
    counted = {run.id: cached.answers(run, reading) for run in runs}
    odd = [
        run for run in runs if counted[run.id]["answers"] < counted[run.id]["asked"] or _out_of_range(counted[run.id])
    ]
    if not odd:
        return
    chart_head("Not every guess is a plain answer", "no-answers and guesses out of range, of the items asked")
    names = names_of(runs)
    kinds = ("refusals", "unparsable", "failed", "below", "above")
    rows = [
        (Html(f"<b>{escaped(names[run.id])}</b>"), *(count(counted[run.id][kind]) for kind in ("asked", *kinds)))
        for run in page_of(odd, "run", "answers_page")
    ]
    columns = ["Run", "Asked", "Refusals", "Unparsable", "Failed", "Below $1", "Above $999"]
    table(columns, rows, right=range(1, 7))


def _out_of_range(counted: dict[str, int]) -> int:
    return counted["below"] + counted["above"]
