"""Compare's errors by price band and by category, of one run or two."""

import polars as pl
import streamlit as st

from pages.shared import cached
from pages.shared.comparison.names import choose_two
from pages.shared.look import look
from pages.shared.widgets import chart, downloads, run_swatches
from pricer.evaluation.scoring import Scoring
from pricer.evaluation.slices import BAND_NAMES, in_order
from pricer.figures.formats import count_of, in_words
from pricer.figures.measures import MEASURES
from pricer.figures.parts import THIN, heat_map, parts_chart, parts_finding
from pricer.runs.store import Run, names_of

MOST_PARTS = 15  # that are drawn
PARTS = ("band", "category")


def show(runs: list[Run], reading: str, scoring: Scoring) -> None:
    by_id = {run.id: run for run in runs}
    chosen = [by_id[run_id] for run_id in choose_two(cached.board(runs, reading, scoring)) if run_id]
    names = names_of(runs)
    measure = st.selectbox(
        "Figure", MEASURES, format_func=lambda name: MEASURES[name][0], key="parts_figure", persist_state="session"
    )
    for part in PARTS:
        _show_part(part, chosen, names, reading, scoring, measure)
    _show_grid(chosen[0], names[chosen[0].id], reading, scoring)


def _show_part(part: str, runs: list[Run], names: dict[str, str], reading: str, scoring: Scoring, measure: str) -> None:
    title, write = MEASURES[measure]
    tables = {names[run.id]: cached.errors_by(part, run, reading, scoring) for run in runs}
    order = in_order(tables.values(), part)
    shown = order[:MOST_PARTS]
    drawn = {name: found.filter(pl.col("part").is_in(shown)) for name, found in tables.items()}
    families = {names[run.id]: run.manifest.family for run in runs}
    told = "mean error with its 95% interval" if measure == "error" else title
    note = f"{told}, {reading} exam; items at the right edge"
    if len(order) > MOST_PARTS:
        note += f"; the {MOST_PARTS} largest of {len(order)}, all in the download"
    first = next(iter(drawn))
    chart(
        parts_chart(drawn, families, look(), part == "band" and measure == "error", shown, measure),
        parts_finding(first, drawn[first], part)
        if measure == "error"
        else f"{title} by {'price band' if part == 'band' else part}",
        alt="; ".join(
            f"{name}, {row['part']}: {write(row[measure])}"
            for name, found in drawn.items()
            for row in found.iter_rows(named=True)
        ),
        key=f"chart_by_{part}",
        note=note,
        swatches=run_swatches(families) if len(runs) > 1 else (),
        image=f"errors-by-{part}",
    )
    rows = [found.select(pl.lit(name).alias("run"), pl.all()) for name, found in tables.items()]
    downloads(pl.concat(rows), f"errors-by-{part}-{reading}")


def _show_grid(run: Run, name: str, reading: str, scoring: Scoring) -> None:
    cells = cached.error_grid(run, reading, scoring)
    thick = cells.filter(pl.col("items") >= THIN)
    worse = thick.filter(pl.col("ratio") >= 1.5)
    title = "No cell errs half as much again as its price band"
    if len(worse):
        verb = "cell errs" if len(worse) == 1 else "cells err"
        title = f"{in_words(len(worse)).capitalize()} {verb} half as much again as their price band"
    chart(
        heat_map(cells, list(BAND_NAMES), look()),
        title,
        alt=f"Error of {name} by category and price band, {count_of(len(cells), 'cell')}.",
        key="chart_grid",
        note=f"{name}: mean error; red where worse than its price band's mean, green where better, "
        f"pale where under {THIN} items. Bands by their lower end",
        image="errors-by-category-and-band",
    )
    downloads(cells.sort("category", "band"), f"error-grid-{reading}")
