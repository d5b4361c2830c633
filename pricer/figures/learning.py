"""The learning curve: errors by number of train items, and the forecast of more with its band."""

import math

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure, note, round_step
from pricer.figures.effect import signed_dollars
from pricer.figures.formats import count, count_of, dollars, whole_dollars
from pricer.figures.palette import PALETTES, Look, Palette, mix

HEIGHT = 340


def learning_chart(
    measured: pl.DataFrame, ahead: pl.DataFrame | None, family: str, look: Look, height: int = HEIGHT
) -> go.Figure:
    """Draw tables of `pricer.evaluation.learning`: points with intervals, and dotted in its band what is forecast.

    Items are logarithmic: each step to the right is as many times more.
    """
    colour = PALETTES[look]
    figure = new_figure(look, height)
    tint = colour.family(family)
    if ahead is not None and len(ahead):
        _draw_forecast(figure, measured, ahead, colour)
    _draw_points(figure, measured, tint, colour)
    tables = [measured] if ahead is None else [measured, ahead]
    figure.update_yaxes(**_dollar_axis(tables))
    figure.update_xaxes(showgrid=False, **_item_axis(tables))
    figure.update_layout(margin={"r": 96, "t": 10})
    return figure


def _draw_points(figure: go.Figure, measured: pl.DataFrame, tint: str, colour: Palette) -> None:
    known = measured.with_columns(pl.col("low").fill_null(pl.col("error")), pl.col("high").fill_null(pl.col("error")))
    words = [
        f"{count_of(row['train_items'], 'item')}<br>{dollars(row['error'])} on average<br>"
        f"95% interval {dollars(row['low'])} to {dollars(row['high'])}"
        for row in known.iter_rows(named=True)
    ]
    figure.add_trace(
        go.Scatter(
            x=measured["train_items"].to_list(),
            y=measured["error"].to_list(),
            mode="lines+markers",
            line={"color": tint, "width": 1.5},
            marker={"size": 9, "color": tint, "line": {"color": colour.paper, "width": 1}},
            error_y={
                "type": "data",
                "array": (known["high"] - known["error"]).to_list(),
                "arrayminus": (known["error"] - known["low"]).to_list(),
                "color": tint,
                "thickness": 1.5,
                "width": 0,
            },
            text=words,
            hovertemplate="%{text}<extra></extra>",
        )
    )


def _draw_forecast(figure: go.Figure, measured: pl.DataFrame, ahead: pl.DataFrame, colour: Palette) -> None:
    start = [measured["train_items"][-1]], [measured["error"][-1]]
    x = [*start[0], *ahead["train_items"]]
    low, high = ([*start[1], *ahead[name]] for name in ("low", "high"))
    area = {"mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": mix(colour.after, colour.paper, 0.8)}
    figure.add_trace(go.Scatter(x=[*x, *reversed(x)], y=[*high, *reversed(low)], hoverinfo="skip", **area))
    words = ["", *(
        f"{count_of(row['train_items'], 'item')}, forecast<br>{dollars(row['error'])}<br>"
        f"95% band {dollars(row['low'])} to {dollars(row['high'])}"
        for row in ahead.iter_rows(named=True)
    )]  # fmt: skip
    line = {"color": colour.after, "width": 2, "dash": "dot"}
    figure.add_trace(
        go.Scatter(
            x=x,
            y=[*start[1], *ahead["error"]],
            mode="lines",
            line=line,
            text=words,
            hovertemplate="%{text}<extra></extra>",
        )
    )
    last = ahead.row(-1, named=True)
    half = f"<b>{dollars(last['error'])}</b><br>{dollars(last['low'])} to<br>{dollars(last['high'])}"
    note(figure, half, colour.ink, x=1, xref="paper", xanchor="left", xshift=6, y=last["error"], align="left")


def _dollar_axis(tables: list[pl.DataFrame]) -> dict:
    ends = [value for table in tables for name in ("error", "low", "high") for value in table[name].drop_nulls()]
    low, high = min(ends), max(ends)
    room = max(0.08 * (high - low), 0.02 * high, 0.01)
    low, high = max(0.0, low - room), high + room
    step = round_step(high - low)
    ticks = [step * place for place in range(int(low / step), int(high / step) + 1) if step * place >= low]
    write = whole_dollars if step >= 1 else dollars
    return {"range": [low, high], "tickvals": ticks, "ticktext": [write(tick) for tick in ticks]}


def _item_axis(tables: list[pl.DataFrame]) -> dict:
    """A logarithmic axis whose ticks are the sizes themselves, each twice the one before or further apart."""
    sizes = sorted({size for table in tables for size in table["train_items"]})
    ticks: list[int] = []
    for size in sizes:
        if not ticks or size >= 1.9 * ticks[-1]:
            ticks.append(size)
    ticks = ticks[:: math.ceil(len(ticks) / 6)]
    low, high = math.log10(sizes[0]) - 0.06, math.log10(sizes[-1]) + 0.02
    return {
        "type": "log",
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [count(size) for size in ticks],
        "tickangle": 0,
    }


def learning_finding(measured: pl.DataFrame, ahead: dict | None) -> str:
    """What more items would bring, by a row of the forecast; without one, what the sizes at hand brought.

    >>> table = pl.DataFrame({"train_items": [100, 1600], "error": [40.0, 30.0]})
    >>> learning_finding(table, {"train_items": 3200, "gain": 2.0, "gain_low": 0.5, "gain_high": 3.5})
    'Twice as many items would bring about $2.00, $0.50 to $3.50'
    >>> learning_finding(table, {"train_items": 2000, "gain": 1.0, "gain_low": -0.5, "gain_high": 2.5})
    '2,000 items may bring nothing: about $1.00, −$0.50 to $2.50'
    >>> learning_finding(table, None)
    'From 100 to 1,600 items the error falls by $10.00'
    """
    if ahead is not None:
        is_twice = 1.8 < ahead["train_items"] / measured["train_items"][-1] < 2.2
        more = "Twice as many items" if is_twice else count_of(ahead["train_items"], "item")
        band = f"{dollars(ahead['gain'])}, {dollars(ahead['gain_low'])} to {dollars(ahead['gain_high'])}"
        return f"{more} {'may bring nothing:' if ahead['gain_low'] <= 0 else 'would bring'} about {band}"
    fewest, most = measured.row(0, named=True), measured.row(-1, named=True)
    fall = fewest["error"] - most["error"]
    between = f"From {count(fewest['train_items'])} to {count_of(most['train_items'], 'item')}"
    return f"{between} the error {'falls' if fall >= 0 else 'rises'} by {dollars(abs(fall))}"


def hint(largest: int, train_items: int, ahead: dict) -> str:
    """What a longer run would bring, in one line, from a row of the forecast at its size.

    >>> hint(4000, 8000, {"error": 27.0, "low": 26.0, "high": 28.5, "gain": 2.0, "gain_low": 0.5, "gain_high": 3.0})
    '8,000 items would err about $27.00 ($26.00 to $28.50): $2.00 less than the run on 4,000'
    """
    change = "less" if ahead["gain"] >= 0 else "more"
    return (
        f"{count_of(train_items, 'item')} would err about {dollars(ahead['error'])} ({dollars(ahead['low'])} to "
        f"{dollars(ahead['high'])}): {dollars(abs(ahead['gain']))} {change} than the run on {count(largest)}"
    )


def learning_table(measured: pl.DataFrame, ahead: pl.DataFrame | None) -> pl.DataFrame:
    """What was measured and what is forecast as one table, `what` saying which."""
    tables = [measured.select(pl.lit("measured").alias("what"), pl.all())]
    if ahead is not None:
        tables.append(ahead.select(pl.lit("forecast").alias("what"), pl.all()))
    return pl.concat(tables, how="diagonal")


def gain_words(row: dict) -> str:
    """A gain with its band: `+$2.00 (+$0.50 to +$3.50)`."""
    return f"{signed_dollars(row['gain'])} ({signed_dollars(row['gain_low'])} to {signed_dollars(row['gain_high'])})"
