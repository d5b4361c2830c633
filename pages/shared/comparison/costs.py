"""Compare's costs: error against time and money, and which runs no other beats in both."""

import polars as pl
import streamlit as st

from pages.shared import cached
from pages.shared.look import look
from pages.shared.widgets import Html, chart, downloads, escaped, family_swatches, page_of, table
from pricer.evaluation.frontier import COSTS, cost_table
from pricer.evaluation.scoring import Scoring
from pricer.figures.formats import dollars
from pricer.figures.frontier import COST_NAMES, cost_words, frontier_chart, frontier_finding, off_chart
from pricer.runs.store import Run, names_of


def show(runs: list[Run], reading: str, scoring: Scoring) -> None:
    found = _table(runs, reading, scoring)
    if found.is_empty():
        return
    paid = (found["dollars_per_1000"].max() or 0) > 0
    kinds = [cost for cost in COSTS if paid or cost != "dollars_per_1000"]
    cost = st.segmented_control(
        "Cost", kinds, default=kinds[0], required=True, format_func=lambda kind: COST_NAMES[kind].capitalize(),
        key="compare_cost", persist_state="session",
    )  # fmt: skip
    chart(
        frontier_chart(found, cost, look()),
        frontier_finding(found, cost),
        alt="; ".join(
            f"{row['name']}: {dollars(row['error'])}, {cost_words(row)[COSTS.index(cost)]}"
            for row in found.iter_rows(named=True)
        ),
        key="chart_frontier",
        note=f"mean error, {reading} exam, against {COST_NAMES[cost]}; the line joins what nothing beats in both"
        + off_chart(found, cost),
        swatches=family_swatches(found["family"]),
        image="error-against-cost",
    )
    rows = [
        (
            Html(f"<b>{escaped(row['name'])}</b>"),
            dollars(row["error"]),
            *cost_words(row),
            "✓" if row[f"{cost}_frontier"] else "",
        )
        for row in page_of(found.to_dicts(), "run", "costs_page")
    ]
    columns = ["Run", "Error", "Fit", "1,000 guesses", "Dollars for 1,000", "Beaten by none"]
    table(columns, rows, right=(1, 2, 3, 4))
    downloads(found, f"costs-{reading}")


def _table(runs: list[Run], reading: str, scoring: Scoring) -> pl.DataFrame:
    names, by_id = names_of(runs), {run.id: run for run in runs}
    facts = [
        {"run": row["run"], "name": names[row["run"]], "family": row["family"], "error": row["error"]}
        | {
            name: getattr(by_id[row["run"]].manifest, name)
            for name in ("fit_seconds", "guess_seconds", "cost_dollars", "asked_items")
        }
        for row in cached.board(runs, reading, scoring).iter_rows(named=True)
        if row["place"] is not None
    ]
    return cost_table(facts) if facts else pl.DataFrame()
