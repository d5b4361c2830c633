"""Compare: which model is best, by how much, and where each one fails."""

import polars as pl
import streamlit as st

from pages.shared import cached, shelf, state
from pages.shared.look import look
from pages.shared.widgets import (
    Cell,
    Html,
    chart,
    chart_head,
    distinct,
    empty_card,
    escaped,
    family_swatches,
    named,
    page_head,
    page_of,
    table,
)
from pricer.evaluation.errors import worst
from pricer.evaluation.intervals import Interval
from pricer.figures.findings import versus_finding, versus_note
from pricer.figures.formats import (
    NOT_MEASURED,
    category_name,
    count,
    count_of,
    dollars,
    percent,
    spreadsheet_safe,
)
from pricer.figures.leaderboard import leaderboard_chart, leaderboard_finding
from pricer.figures.leaks import own_exam_finding, own_exam_note
from pricer.figures.running import running_error_chart
from pricer.figures.scatter import scatter_chart, scatter_finding
from pricer.runs.store import Run, list_runs

WORST = 10
READINGS = {"natural": "Natural", "balanced": "Balanced"}
TERMS = {
    "Error": "Mean distance between guess and price, in dollars. Guesses are clipped to $1 to $999; where a model gave "
    "no answer, the median price of its train counts as its guess.",
    "95% interval": "Where the error would lie with other exam items of the same market, 19 times in 20. Items that "
    "are near-duplicates of each other count as one.",
    "Within 20%": "Share of guesses that are at most 20% of the price off.",
    "Median error": "Half of the guesses are closer than this.",
    "RMSLE": "Root mean square of the differences of ln(1 + dollars): being off by a factor counts the same for a "
    "cheap and a dear product. 0.1 is about 10%.",
    "R²": "Share of the variance of prices that the guesses explain; 0 is a guess of the mean, below 0 is worse.",
    "Hits": "Share of good guesses by the first notebook's rule: less than $40 or less than 20% off.",
    "Against the first": "How much more it errs than the first on the same items; tie where the 95% interval of that "
    "difference holds zero.",
}
EXPLANATION = """
Every run on this page was graded on the **same exam**, whose items no model was trained on. Read as **natural** it is
the market as it is; read as **balanced**, each of eight price bands weighs the same.

Two models are **tied** if the 95% interval of their difference *on the same items* holds zero. Overlapping intervals
of their errors say little about that: both models find the same items hard.

Intervals come from a bootstrap that draws groups of near-duplicates, not single items.

An **own exam** belongs to a dataset that was split naively, as the notebooks did: near-duplicates of its items may be
in train. Its runs are ranked among themselves, and only there are errors on leaked and on clean items shown.
"""


def choose_reading() -> str:
    return st.segmented_control(
        "Read as", READINGS, required=True, format_func=READINGS.get, key=state.READING, persist_state="session"
    )


# The leaderboard


def show_leaderboard(board: pl.DataFrame, runs: list[Run], reading: str) -> None:
    exam = shelf.OWN_EXAM if is_own_exam(runs) else f"{reading} exam"
    most = int(board["items"].max())
    generated = any(run.manifest.generated for run in runs)
    chart(
        leaderboard_chart(board, look()),
        named(leaderboard_finding(board), generated),
        alt="; ".join(f"{row['name']}: {dollars(row['error'])}" for row in board.iter_rows(named=True)),
        key="chart_board",
        note=f"mean error on {count_of(most, 'item')}, {exam}, 95% interval",
        swatches=family_swatches(board["family"]),
    )


def is_own_exam(runs: list[Run]) -> bool:
    """Whether these runs were graded on an exam of a dataset's own."""
    return any(run.manifest.split == "naive" for run in runs)


def show_leaks(board: pl.DataFrame, by_id: dict[str, Run]) -> None:
    """The errors on leaked and on clean items of an own exam, the one place where there are leaked ones."""
    names = dict(board.select("run", "name").iter_rows())
    found = {run: cached.run_leaks(by_id[run]) for run in names}
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


def show_figures(board: pl.DataFrame, exam: str, reading: str) -> None:
    """Every figure of every run, each explained where it stands."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html('<div class="pr-head"><h3>All figures</h3></div>', width="content")
        with st.popover("What do they mean?", type="tertiary", key="explain_terms"):
            st.html("".join(f"<p><b>{escaped(term)}</b>: {escaped(words)}</p>" for term, words in TERMS.items()))
    place = st.container()
    rows = page_of(board.to_dicts(), "run", "board_page")
    with place:
        columns = ["", "Run", *map(_explained, TERMS), "Items"]
        table(columns, [_figures_row(row) for row in rows], right=(0, *range(2, 11)))
    st.download_button(
        "Download as CSV",
        board.with_columns(pl.col("name").map_elements(spreadsheet_safe, return_dtype=pl.String)).write_csv(),
        f"leaderboard-{reading}-{exam[:8]}.csv",
        "text/csv",
        key="download_board",
        icon=":material/download:",
        on_click="ignore",
    )


def _explained(term: str) -> Html:
    return Html(f'<abbr title="{escaped(TERMS[term])}" tabindex="0">{escaped(term)}</abbr>')


def _figures_row(row: dict) -> tuple[Cell, ...]:
    interval = NOT_MEASURED
    if row["error_low"] is not None:
        interval = f"{dollars(row['error_low'])} to {dollars(row['error_high'])}"
    return (
        count(row["place"]),
        Html(f"<b>{escaped(row['name'])}</b>"),
        dollars(row["error"]),
        interval,
        percent(row["within_20"]),
        dollars(row["median_error"]),
        _two_digits(row["rmsle"]),
        _two_digits(row["r2"]),
        percent(row["hits"]),
        _against_first(row),
        count(row["items"]),
    )


def _two_digits(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.2f}".replace("-", "−")


def _against_first(row: dict) -> str:
    if row["place"] == 1:
        return "first"
    if row["place"] is None or row["difference"] is None:
        return NOT_MEASURED
    return "tie" if row["tied_with_first"] else f"+{dollars(row['difference'])}"


# Two runs side by side


def choose_two(board: pl.DataFrame) -> tuple[str, str | None]:
    """The ids of the run to look at and of the one to set beside it, if there are two."""
    names = distinct(dict(board.select("run", "name").iter_rows()))
    left, right = st.columns(2, gap="large")
    with left:
        first = _choose_run("Model", names, state.MODEL_A)
    others = {run: name for run, name in names.items() if run != first}
    if not others:
        return first, None
    with right:
        return first, _choose_run("Against", others, state.MODEL_B)


def _choose_run(label: str, names: dict[str, str], key: str) -> str:
    if st.session_state[key] not in names:
        st.session_state[key] = next(iter(names))
    st.selectbox(label, list(names), format_func=names.get, key=key, persist_state="session")
    return st.session_state[key]


def names_of(runs: list[Run]) -> dict[str, str]:
    """The names of runs by id, told apart."""
    return distinct({run.id: run.name for run in runs})


def show_versus(run: Run, other: Run, reading: str) -> None:
    """The difference of two runs on the same items, in words."""
    found, names = cached.versus(run, other, reading), names_of([run, other])
    note = ""
    if found.difference is not None:
        note = versus_note(found.difference, found.low, found.high, found.items, found.items_to_settle)
    with st.container(border=True):
        chart_head(versus_finding(names[run.id], names[other.id], found.difference, found.tied), note)


def show_scatters(runs: list[Run], reading: str) -> None:
    columns = st.columns(2, gap="large")
    for place, run in enumerate(runs):
        with columns[place]:
            show_scatter(run, names_of(runs)[run.id], reading, key=f"chart_scatter_{place}")


def show_scatter(run: Run, name: str, reading: str, key: str) -> None:
    judged = cached.scored_exam(run, reading)
    shares = {colour: (judged["colour"] == colour).mean() or 0.0 for colour in ("good", "fair", "poor")}
    shapes = {"good": "disc", "fair": "diamond", "poor": "cross"}
    chart(
        scatter_chart(judged, look()),
        scatter_finding(judged),
        alt=f"Guess against price of {count_of(len(judged), 'item')}: "
        + ", ".join(f"{percent(share)} {colour}" for colour, share in shares.items()),
        key=key,
        note=f"{name}; tinted where less than $40 or 20% off",
        swatches=[(f"{colour} {percent(share)}", f"{colour} {shapes[colour]}") for colour, share in shares.items()],
    )


def show_running(runs: list[Run], reading: str) -> None:
    names = names_of(runs)
    lines = {names[run.id]: cached.running(run, reading) for run in runs}
    families = {names[run.id]: run.manifest.family for run in runs}
    chart(
        running_error_chart(lines, look(), families if len(runs) > 1 else None, height=280),
        "Running error",
        alt="; ".join(f"{name}: {dollars(line['mean'][-1])}" for name, line in lines.items() if len(line)),
        key="chart_running",
        note="mean error by number of items asked, with its 95% band",
    )


def show_worst(runs: list[Run], reading: str) -> None:
    """The items on which the first of the runs errs most, and what the other says of them."""
    judged = worst(cached.scored_exam(runs[0], reading), WORST)
    chart_head(
        f"Where {names_of(runs)[runs[0].id]} errs most",
        "in dollars; the other model's guess beside it" if runs[1:] else "",
    )
    others = {}
    if runs[1:]:
        others = dict(cached.scored_exam(runs[1], reading).select("item_id", "guess").iter_rows())
    rows = [
        (
            row["title"] if len(row["title"]) <= 90 else row["title"][:89].rstrip() + "…",
            category_name(row["category"]),
            dollars(row["price"]),
            dollars(row["guess"]),
            dollars(row["error"]),
            *([dollars(others.get(row["item_id"]))] if runs[1:] else []),
        )
        for row in judged.iter_rows(named=True)
    ]
    columns = ["Product", "Category", "Price", "Guess", "Error", *(["The other"] if runs[1:] else [])]
    table(columns, rows, right=(2, 3, 4, 5))


page_head("Compare", "Which model is best, by how much, and where each one fails.", EXPLANATION)
every_run = list_runs()
if not every_run:
    with st.container(border=True):
        empty_card("No run yet.", "Train at least two models on one dataset, and this page says which is better.")
        st.page_link("models/train.py", label="Open Train", icon=":material/arrow_forward:")
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom"):
    runs = shelf.choose_exam(every_run)
    reading = "natural" if is_own_exam(runs) else choose_reading()
by_id = {run.id: run for run in runs}
board = cached.board(runs, reading)
show_leaderboard(board, runs, reading)
if is_own_exam(runs):
    show_leaks(board, by_id)
show_figures(board, runs[0].manifest.exam_hash, reading)
st.header("Two models side by side", anchor=False)
chosen = [by_id[run_id] for run_id in choose_two(board) if run_id]
if len(chosen) == 2:
    show_versus(*chosen, reading)
show_scatters(chosen, reading)
show_running(chosen, reading)
show_worst(chosen, reading)
