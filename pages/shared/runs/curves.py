"""The curves of fits on the page Runs: of the run that is shown, and of others beside it."""

import polars as pl
import streamlit as st

from pages.shared.look import look
from pages.shared.widgets import chart, chart_head, distinct, family_swatches
from pricer.figures.curves import curve_chart, loss_chart
from pricer.figures.formats import dollars, spreadsheet_safe
from pricer.llm.tuning.adapter import UNIT
from pricer.progress import LEARNING_RATE, TRAINING_LOSS, VALIDATION_ERROR, VALIDATION_LOSS
from pricer.runs.curves import CURVES, live_curves, read_curves
from pricer.runs.store import Run

FIGURES = (VALIDATION_ERROR, VALIDATION_LOSS, TRAINING_LOSS)


def show_live_curves(job_id: str) -> None:
    """The curves of a job that is fitting, as far as they have come."""
    curves = live_curves(job_id)
    if curves is not None:
        _show(curves, key="live_curves")


def show_curves(run: Run, others: list[Run]) -> None:
    """The curves that a run keeps, alone or beside those of others; nothing where it has none."""
    curves = read_curves(run.folder)
    if curves is None:
        return
    offered = {other.id: other.name for other in others if other.id != run.id and (other.folder / CURVES).is_file()}
    names = distinct({run.id: run.name} | offered)
    chosen: list[str] = []
    if offered:
        chosen = st.multiselect(
            "Beside the curves of",
            list(offered),
            format_func=names.get,
            key=f"curves_beside_{run.id}",
            placeholder="no other run",
            max_selections=5,
            width=560,
        )
    by_id = {other.id: other for other in others}
    drawn = [run, *(by_id[each] for each in chosen)]
    tables = {each.id: read_curves(each.folder) for each in drawn}
    if len(drawn) == 1:
        _show(curves, key="curves")
    else:
        _show_together(drawn, tables, names)
    st.download_button(
        "Download curves as CSV",
        _as_csv(drawn, tables),
        f"curves-{run.id}.csv",
        "text/csv",
        key="download_curves",
        icon=":material/download:",
        on_click="ignore",
    )


def _show(curves: pl.DataFrame, key: str) -> None:
    """The losses, and the error in dollars beside them."""
    unit = curves["unit"][0]
    in_dollars = _line(curves, VALIDATION_ERROR)
    measures_dollars = len(in_dollars) or unit != UNIT  # a host of fine-tuning tells losses alone
    losses, error = st.columns(2, gap="large") if measures_dollars else (st.container(), None)
    training, validation = _line(curves, TRAINING_LOSS), _line(curves, VALIDATION_LOSS)
    with losses:
        chart(
            loss_chart(training, validation, unit, look()),
            "Loss",
            alt="Training and validation loss, at last " + ", ".join(_last(curves, name) for name in FIGURES[1:]) + ".",
            key=f"{key}_loss",
            note=f"What the fit makes less, after so many {unit}",
        )
    _show_rate(curves, key)
    if error is None:
        return
    with error:
        if in_dollars.is_empty():
            chart_head("Validation error", f"not measured yet: it comes after the first of its {unit}")
            return
        chart(
            curve_chart([("", in_dollars)], [""], unit, look(), in_dollars=True),
            "Validation error",
            alt=f"Mean error on validation in dollars, at last {dollars(in_dollars['value'][-1])}.",
            key=f"{key}_error",
            note=f"Mean error on up to 1,000 items of validation, after so many {unit}",
        )


def _show_rate(curves: pl.DataFrame, key: str) -> None:
    """The learning rate, of a fit that tells it."""
    rate = _line(curves, LEARNING_RATE).with_columns(pl.col("value").round(6))
    if rate.is_empty():
        return
    unit = curves["unit"][0]
    chart(
        curve_chart([("", rate)], [""], unit, look(), height=150),
        "Learning rate",
        alt=f"The learning rate, at most {rate['value'].max():g}.",
        key=f"{key}_rate",
        note=f"After so many {unit}, at most {rate['value'].max():g}",
    )


def _show_together(runs: list[Run], tables: dict[str, pl.DataFrame], names: dict[str, str]) -> None:
    """One figure of several runs, over the share of the fit: they count in different units."""
    figure = st.segmented_control("Curve", FIGURES, default=VALIDATION_ERROR, required=True, key="curves_figure")
    lines = []
    for run in runs:
        line = _line(tables[run.id], figure)
        whole = tables[run.id]["at"].max()
        lines.append((names[run.id], line.with_columns(pl.col("at") / whole * 100)))
    chart(
        curve_chart(
            lines, [run.manifest.family for run in runs], "%", look(), in_dollars=figure == VALIDATION_ERROR, height=320
        ),
        figure.capitalize(),
        alt="; ".join(f"{names[run.id]}: {_last(tables[run.id], figure)}" for run in runs) + ".",
        key="curves_together",
        note="by percent of the fit; losses of different kinds of models are in different units",
        swatches=family_swatches(run.manifest.family for run in runs),
    )


def _line(curves: pl.DataFrame, name: str) -> pl.DataFrame:
    return curves.filter(pl.col("name") == name).select("at", "value")


def _last(curves: pl.DataFrame, name: str) -> str:
    line = _line(curves, name)
    return f"{name} {line['value'][-1]:,.4g}" if len(line) else f"no {name}"


def _as_csv(runs: list[Run], tables: dict[str, pl.DataFrame]) -> str:
    """Every point of every curve: run, name of the run, at, unit, name, value."""
    parts = [
        tables[run.id].with_columns(run=pl.lit(run.id), run_name=pl.lit(spreadsheet_safe(run.name))) for run in runs
    ]
    return pl.concat(parts).write_csv()
