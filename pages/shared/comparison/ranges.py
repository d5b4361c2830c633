"""Compare's ranges: how wide each run's are, and whether they hold what they promise."""

from collections import Counter

import polars as pl
import streamlit as st

from pages.shared import cached
from pages.shared.comparison.names import choose_one
from pages.shared.look import look
from pages.shared.widgets import Html, chart, chart_head, downloads, empty_card, escaped, page_of, table
from pricer.evaluation.ranges import LEVELS, USUAL_LEVEL
from pricer.evaluation.scoring import Scoring
from pricer.figures.coverage import coverage_chart, coverage_finding, verdict
from pricer.figures.formats import NOT_MEASURED, category_name, count, count_of, dollars, percent
from pricer.runs.ranges import origin, why_none
from pricer.runs.store import Run, names_of

PARTS = {"band": "Price band", "category": "Category"}


VERDICTS = {
    "kept": ("good", "✓ kept"),
    "wider": ("fair", "◆ wider than promised"),
    "broken": ("poor", "✕ not kept"),
}


def show(runs: list[Run], reading: str, scoring: Scoring) -> None:
    strips = {run.id: cached.coverage_strip(run, reading) for run in runs}
    known = [run for run in runs if strips[run.id]["covered"].count()]
    if not known:
        with st.container(border=True):
            empty_card(
                "No range yet.",
                "Ranges come from a run's own distribution, or from what it guesses of validation. Hosted models are "
                "not asked that, as each answer is paid for; imported guesses and a few items of validation give none.",
            )
        return
    level = st.select_slider(
        "Share of prices that a range shall hold",
        LEVELS,
        USUAL_LEVEL,
        format_func=lambda share: f"{share:.0%}",
        key="compare_level",
        persist_state="session",
        width=420,
    )
    names = names_of(runs)
    _show_all(known, names, strips, level, reading)
    for why, number in Counter(why_none(run) for run in runs if run not in known).items():
        st.html(f'<p class="pr-note">{count_of(number, "run")} not listed: {why}</p>')
    with_ranges = pl.col("run").is_in([run.id for run in known])
    run_id = choose_one(cached.board(runs, reading, scoring).filter(with_ranges))
    run = next(run for run in known if run.id == run_id)
    _show_one(run, names[run_id], strips[run_id], level, reading)


def _show_all(
    runs: list[Run], names: dict[str, str], strips: dict[str, pl.DataFrame], level: float, reading: str
) -> None:
    """Every run's ranges at one level, the best interval score first."""
    rows = [strips[run.id].filter(level=level).row(0, named=True) | {"run": names[run.id]} for run in runs]
    made_from = {names[run.id]: origin(run) for run in runs}
    ranked = {names[run.id]: cached.distribution_score(run, reading) for run in runs}
    stated = any(score is not None for score in ranked.values())  # a column for those that give a distribution
    rows.sort(key=lambda row: (row["score"] is None, row["score"]))
    chart_head(
        "How wide, and how true",
        f"ranges that promise to hold {level:.0%} of prices, {reading} exam; the score adds to the width what lies "
        "outside, less is better",
    )
    cells = [
        (
            Html(f"<b>{escaped(row['run'])}</b>"),
            made_from[row["run"]],
            _held(row),
            _verdict(row),
            dollars(row["median_width"]),
            NOT_MEASURED if row["median_ratio"] is None else f"{row['median_ratio']:.1f} times",
            dollars(row["score"]),
            *([dollars(ranked[row["run"]])] if stated else []),
            count(row["items"]),
        )
        for row in page_of(rows, "run", "ranges_page")
    ]
    scores = ["Score", "Ranked score"] if stated else ["Score"]
    columns = ["Run", "Made from", "Held", "Promise", "Median width", "High over low", *scores, "Items"]
    table(columns, cells, right=(2, *range(4, len(columns))))
    downloads(pl.DataFrame(rows, infer_schema_length=None).drop("part"), f"ranges-{reading}-{level:.0%}".rstrip("%"))


def _held(row: dict) -> str:
    if row["covered"] is None:
        return NOT_MEASURED
    return f"{percent(row['covered'])} ({percent(row['low'])} to {percent(row['high'])})"


def _verdict(row: dict) -> Html:
    if row["keeps_promise"] is None:
        return Html("")
    colour, words = VERDICTS[verdict(row)]
    return Html(f'<span class="pr-{colour}">{words}</span>')


def _show_one(run: Run, name: str, strip: pl.DataFrame, level: float, reading: str) -> None:
    left, right = st.columns([1, 1.25], gap="large")
    with left:
        chart(
            coverage_chart(strip, look()),
            coverage_finding(strip),
            alt="; ".join(f"{row['level']:.0%}: {percent(row['covered'])}" for row in strip.iter_rows(named=True)),
            key="chart_coverage",
            note=f"{name}: share of prices that its ranges held, by the share that was promised",
            image="coverage",
        )
    with right:
        part = st.segmented_control(
            "By", PARTS, default="band", required=True, format_func=PARTS.get, key="ranges_by", persist_state="session"
        )
        found = cached.coverage_by(part, run, reading, level)
        rows = [
            (category_name(row["part"]), _held(row), dollars(row["median_width"]), count(row["items"]))
            for row in page_of(found.to_dicts(), "part", "coverage_page")
        ]
        table([PARTS[part], f"Held, of {level:.0%}", "Median width", "Items"], rows, right=(1, 2, 3))
        if part == "band":
            st.html(
                '<p class="pr-note"><span>The promise is made of the market, and by what is guessed: no range can make '
                "it of every price. What is dear is guessed too cheap, and held less often.</span></p>"
            )
        downloads(found, f"coverage-by-{part}-{reading}")
