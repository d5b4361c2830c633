"""Compare's two models side by side: which errs less, guess against price, the running error, the worst items."""

import polars as pl
import streamlit as st

from pages.shared import cached
from pages.shared.comparison.names import choose_two
from pages.shared.look import look
from pages.shared.widgets import chart, chart_head, downloads, table
from pricer.evaluation.errors import point_metrics, worst
from pricer.evaluation.scoring import Scoring
from pricer.figures.findings import versus_finding, versus_note
from pricer.figures.formats import category_name, count_of, dollars, guess_in_words, percent
from pricer.figures.running import running_error_chart
from pricer.figures.scatter import scatter_chart, scatter_finding
from pricer.runs.store import Run, names_of

WORST = 10
TAKEN_AWAY = ("item_id", "title", "category", "price", "guess", "status", "scored_guess", "error", "colour")


def show(runs: list[Run], reading: str, scoring: Scoring) -> None:
    by_id, names = {run.id: run for run in runs}, names_of(runs)
    chosen = [by_id[run_id] for run_id in choose_two(cached.board(runs, reading, scoring)) if run_id]
    if len(chosen) == 2:
        show_versus(*chosen, names, reading, scoring)
    show_scatters(chosen, names, reading, scoring)
    show_running(chosen, names, reading, scoring)
    show_worst(chosen, names, reading, scoring)


def show_versus(run: Run, other: Run, names: dict[str, str], reading: str, scoring: Scoring) -> None:
    """The difference of two runs on the same items, in words."""
    found = cached.versus(run, other, reading, scoring)
    note = ""
    if found.difference is not None:
        note = versus_note(found.difference, found.low, found.high, found.items, found.items_to_settle)
    with st.container(border=True):
        chart_head(versus_finding(names[run.id], names[other.id], found.difference, found.tied), note)


def show_scatters(runs: list[Run], names: dict[str, str], reading: str, scoring: Scoring) -> None:
    columns = st.columns(2, gap="large")
    for place, run in enumerate(runs):
        with columns[place]:
            show_scatter(run, names[run.id], reading, scoring, key=f"chart_scatter_{place}")


def show_scatter(run: Run, name: str, reading: str, scoring: Scoring, key: str) -> None:
    judged = cached.scored_exam(run, reading, scoring)
    found = point_metrics(judged, reading)
    shares = {"good": found.hits or 0.0, "fair": found.fair or 0.0, "poor": found.poor or 0.0}
    shapes = {"good": "disc", "fair": "diamond", "poor": "cross"}
    limits = scoring.thresholds
    good = f"${limits.good_dollars:g} or {limits.good_share:.0%} off"
    chart(
        scatter_chart(
            judged, look(), good_dollars=scoring.thresholds.good_dollars, good_share=scoring.thresholds.good_share
        ),
        scatter_finding(found.hits),
        alt=f"Guess against price of {count_of(len(judged), 'item')}: "
        + ", ".join(f"{percent(share)} {colour}" for colour, share in shares.items()),
        key=key,
        note=f"{name}; tinted where less than {good}",
        swatches=[(f"{colour} {percent(share)}", f"{colour} {shapes[colour]}") for colour, share in shares.items()],
        image="guess-against-price",
    )


def show_running(runs: list[Run], names: dict[str, str], reading: str, scoring: Scoring) -> None:
    lines = {names[run.id]: cached.running(run, reading, scoring) for run in runs}
    families = {names[run.id]: run.manifest.family for run in runs}
    chart(
        running_error_chart(lines, look(), families if len(runs) > 1 else None, height=280),
        "Running error",
        alt="; ".join(f"{name}: {dollars(line['mean'][-1])}" for name, line in lines.items() if len(line)),
        key="chart_running",
        note="mean error by number of items asked, with its 95% band",
        image="running-error",
    )
    downloads(_of_runs(lines), f"running-error-{reading}")


def show_worst(runs: list[Run], names: dict[str, str], reading: str, scoring: Scoring) -> None:
    """The items on which the first of the runs errs most, and what the other says of them; all guesses to take away."""
    judged = {run.id: cached.scored_exam(run, reading, scoring) for run in runs}
    said = [_said(table) for table in judged.values()]
    chart_head(
        f"Where {names[runs[0].id]} errs most", "in dollars; the other model's guess beside it" if runs[1:] else ""
    )
    rows = [
        (
            row["title"] if len(row["title"]) <= 90 else row["title"][:89].rstrip() + "…",
            category_name(row["category"]),
            dollars(row["price"]),
            said[0][row["item_id"]],
            dollars(row["error"]),
            *(other.get(row["item_id"], "not asked") for other in said[1:]),
        )
        for row in worst(judged[runs[0].id], WORST).iter_rows(named=True)
    ]
    columns = ["Product", "Category", "Price", "Guess", "Error", *(["The other"] if runs[1:] else [])]
    table(columns, rows, right=(2, 3, 4, 5))
    guesses = _of_runs({names[run_id]: rows.select(TAKEN_AWAY) for run_id, rows in judged.items()})
    downloads(guesses, f"guesses-{reading}")


def _said(judged: pl.DataFrame) -> dict[str, str]:
    """What a run said of every item, by the item's id."""
    columns = judged.select("item_id", "guess", "status", "scored_guess").iter_rows()
    return {item_id: guess_in_words(guess, status, counted) for item_id, guess, status, counted in columns}


def _of_runs(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(rows.select(pl.lit(name).alias("run"), pl.all()) for name, rows in tables.items())
