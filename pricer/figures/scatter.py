"""Guess against price: a point an item, its judgement as colour and shape."""

from typing import Literal

import numpy as np
import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure, note, round_step
from pricer.figures.formats import count, dollars, in_words, safe, whole_dollars
from pricer.figures.palette import PALETTES, Look, Palette, mix

Scale = Literal["log", "linear"]
MOST_POINTS = 5_000
LOWEST = 0.5  # dollars; no price is lower
ROOM = 1.03  # what a linear axis has above the highest value
SYMBOLS = {"good": "circle", "fair": "diamond", "poor": "x-thin"}  # poor is drawn last, on top


def scatter_chart(
    table: pl.DataFrame,
    look: Look,
    scale: Scale = "log",
    good_dollars: float = 40,
    good_share: float = 0.2,
    height: int = 420,
) -> go.Figure:
    """Draw the answers of a scored table: title, price, guess, scored_guess, answered, colour.

    The line is guess = price; the tinted area holds the good guesses. Over 5,000 answers a sample is drawn, and a
    label says so.
    """
    colour = PALETTES[look]
    answers = table.filter("answered")
    shown = answers.sample(MOST_POINTS, seed=0) if len(answers) > MOST_POINTS else answers
    low, high = _ends(shown, scale)
    figure = new_figure(look, height)
    _tint_good(figure, low, high, good_dollars, good_share, mix(colour.good, colour.paper, 0.88))
    for name in SYMBOLS:
        figure.add_trace(_points(shown.filter(pl.col("colour") == name), name, colour))
    ends = [low, high]
    figure.add_trace(go.Scatter(x=ends, y=ends, mode="lines", line={"color": colour.ink, "width": 1}, hoverinfo="skip"))
    axis = _dollar_axis(low, high, scale)
    figure.update_xaxes(**axis, showgrid=True)
    figure.update_yaxes(**axis)
    quiet = {"xref": "paper", "yref": "paper"}
    note(figure, "guess", colour.quiet, x=0, y=1, xanchor="left", yanchor="bottom", yshift=8, **quiet)
    note(figure, "price", colour.quiet, x=1, y=0, xanchor="right", yanchor="bottom", **quiet)
    if len(shown) < len(answers):
        words = f"{count(len(shown))} of {count(len(answers))} guesses, drawn at random"
        note(figure, words, colour.quiet, x=1, y=1, xanchor="right", yanchor="bottom", yshift=8, **quiet)
    figure.update_layout(margin={"t": 30, "r": 26})
    return figure


def scatter_finding(share: float | None) -> str:
    """Say which share of guesses is good: the title of the scatter. None where there is no guess."""
    if share is None:
        return "Guess and price"
    hundred = round(100 * share)
    if hundred in (0, 100) and 0 < share < 1:
        return "Nearly all guesses are good" if hundred else "Hardly a guess is good"
    verb = "is" if hundred == 1 else "are"
    return f"{in_words(hundred).capitalize()} guess{'' if hundred == 1 else 'es'} in a hundred {verb} good"


def _points(table: pl.DataFrame, name: str, colour: Palette) -> go.Scatter:
    tint = getattr(colour, name)
    crossed = SYMBOLS[name] == "x-thin"
    return go.Scatter(
        x=table["price"].to_numpy(),
        y=table["scored_guess"].to_numpy(),
        name=name,
        mode="markers",
        marker={
            "symbol": SYMBOLS[name],
            "size": 7 if name == "fair" else 6,
            "color": tint,
            "opacity": 0.9 if crossed else 0.75,
            "line": {"color": tint, "width": 1.6 if crossed else 0},
        },
        text=[_words(row, name) for row in table.iter_rows(named=True)],
        hovertemplate="%{text}<extra></extra>",
    )


def _words(row: dict, judgement: str) -> str:
    guess = f"guess {dollars(row['guess'])}, {judgement}"
    if row["guess"] != row["scored_guess"]:
        guess += f"; counted as {whole_dollars(row['scored_guess'])}"
    return f"{safe(row['title'], 70)}<br>{guess}<br>price {dollars(row['price'])}"


def _ends(table: pl.DataFrame, scale: Scale) -> tuple[float, float]:
    """The one range of both axes."""
    values = np.concatenate([table["price"].to_numpy(), table["scored_guess"].to_numpy()])
    high = max(10.0, float(values.max(initial=0.0)))
    if scale == "linear":
        return 0.0, ROOM * high
    return max(LOWEST, 0.85 * float(values.min(initial=high))), 1.12 * high


def _tint_good(figure: go.Figure, low: float, high: float, good_dollars: float, good_share: float, fill: str) -> None:
    """Fill the area in which an error is below so many dollars or such a share of the price."""
    price = np.geomspace(max(low, LOWEST), high, 200)
    price[0] = low
    room = np.maximum(good_dollars, good_share * price)
    upper, lower = np.clip(price + room, low, high), np.clip(price - room, low, high)
    area = {"mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": fill, "hoverinfo": "skip"}
    figure.add_trace(go.Scatter(x=np.concatenate([price, price[::-1]]), y=np.concatenate([upper, lower[::-1]]), **area))


def _dollar_axis(low: float, high: float, scale: Scale) -> dict:
    if scale == "linear":
        step = round_step(high / ROOM)
        ticks = [step * place for place in range(int(high / step) + 1)]
        return {"range": [low, high], "tickvals": ticks, "ticktext": [whole_dollars(tick) for tick in ticks]}
    factors = (1,) if high / low > 50 else (1, 2, 5)
    ticks = [factor * 10**power for power in range(4) for factor in factors if low <= factor * 10**power <= high]
    ends = [float(np.log10(low)), float(np.log10(high))]
    return {"type": "log", "range": ends, "tickvals": ticks, "ticktext": [whole_dollars(tick) for tick in ticks]}
