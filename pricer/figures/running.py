"""The running error: the mean after every guess, with its band, of one run or of several on the same axes."""

import numpy as np
import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure, note, round_step
from pricer.figures.formats import count, dollars, safe, whole_dollars, wrapped_names
from pricer.figures.palette import PALETTES, Look, Palette, mix

MOST_POINTS = 1_000
_DASHES = ("solid", "dash", "dot")


def running_error_chart(
    lines: dict[str, pl.DataFrame],
    look: Look,
    families: dict[str, str] | None = None,
    height: int = 260,
) -> go.Figure:
    """Draw tables of `pricer.evaluation.running` by name: count, mean, low, high.

    One run alone is petrol; with `families` (name to family) each line has its family's colour, a second one of the
    same family is dashed, and names stand at the ends.
    """
    colour = PALETTES[look]
    figure = new_figure(look, height)
    drawn = {name: _thinned(table) for name, table in lines.items() if len(table)}
    styles = _styles(list(drawn), families, colour)
    for name, table in drawn.items():
        _band(figure, table, colour.before_fill if len(drawn) == 1 else mix(styles[name]["color"], colour.paper, 0.8))
    for name, table in drawn.items():
        _line(figure, name, table, styles[name])
    low, high = _range(list(drawn.values()))
    _name_ends(figure, drawn, colour, (low, high), height)
    step = round_step(high - low)
    ticks = [step * place for place in range(int(low / step), int(high / step) + 1) if step * place >= low]
    write = whole_dollars if step >= 1 else dollars
    figure.update_yaxes(range=[low, high], tickvals=ticks, ticktext=[write(tick) for tick in ticks])
    last = max((table["count"][-1] for table in drawn.values()), default=1)
    x_step = max(1, round(round_step(last, most=5)))
    x_ticks = [1, *range(x_step, last + 1, x_step)]
    figure.update_xaxes(
        range=[1, max(2, last)], tickvals=x_ticks, ticktext=[count(tick) for tick in x_ticks], showgrid=False
    )
    figure.update_layout(margin={"r": 132 if len(drawn) > 1 else 112, "t": 10}, hovermode="x unified")
    return figure


def _thinned(table: pl.DataFrame) -> pl.DataFrame:
    """At most MOST_POINTS rows, closer together where the mean still moves, the last one among them."""
    if len(table) <= MOST_POINTS:
        return table
    return table[np.unique(np.geomspace(1, len(table), MOST_POINTS).round().astype(int)) - 1]


def _styles(names: list[str], families: dict[str, str] | None, colour: Palette) -> dict[str, dict]:
    if families is None:
        return {name: {"color": colour.after, "dash": "solid"} for name in names}
    styles, seen = {}, dict.fromkeys(families.values(), 0)
    for name in names:
        family = families[name]
        styles[name] = {"color": colour.family(family), "dash": _DASHES[seen[family] % len(_DASHES)]}
        seen[family] += 1
    return styles


def _band(figure: go.Figure, table: pl.DataFrame, fill: str) -> None:
    known = table.drop_nulls("low")
    x = np.concatenate([known["count"], known["count"][::-1]])
    y = np.concatenate([known["high"], known["low"][::-1]])
    area = {"mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": fill, "opacity": 0.7}
    figure.add_trace(go.Scatter(x=x, y=y, hoverinfo="skip", **area))


def _line(figure: go.Figure, name: str, table: pl.DataFrame, style: dict) -> None:
    half_width = (table["high"] - table["mean"]).fill_null(0)
    words = [
        f"{safe(name, 40)} {dollars(mean)} ± {half:,.2f}" for mean, half in zip(table["mean"], half_width, strict=True)
    ]
    figure.add_trace(
        go.Scatter(
            x=table["count"].to_numpy(),
            y=table["mean"].to_numpy(),
            name=name,
            mode="lines",
            line={"width": 2.2, **style},
            text=words,
            hovertemplate="%{text}<extra></extra>",
        )
    )


def _range(tables: list[pl.DataFrame]) -> tuple[float, float]:
    """What the axis shows: the bands after the first tenth of the guesses; before that they would fill the chart."""
    ends: list[float] = []
    for table in tables:
        settled = table.filter(pl.col("count") >= max(2, table["count"][-1] / 10))
        for name in ("low", "high", "mean"):
            ends += settled[name].drop_nulls().to_list()
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = max(0.15 * (high - low), 0.05 * high, 0.01)
    return max(0.0, low - room), high + room


def _name_ends(
    figure: go.Figure, drawn: dict[str, pl.DataFrame], colour: Palette, shown: tuple[float, float], height: int
) -> None:
    """Write each line's last value beside its end, names above where there are several; labels never touch."""
    several = len(drawn) > 1
    low, high = shown
    least = (56 if several else 20) / (height - 40) * (high - low)  # axis and margin take 40 pixels
    reached = -np.inf
    labels = dict(zip(drawn, wrapped_names(list(drawn), 18), strict=True))
    for name, table in sorted(drawn.items(), key=lambda item: item[1]["mean"][-1]):
        mean, top = table["mean"][-1], table["high"][-1]
        y = max(mean, reached + least)
        reached = y
        words = f"<b>{dollars(mean)}</b>" + ("" if top is None else f" ± {top - mean:,.2f}")
        text = f"{labels[name]}<br>{words}" if several else words
        note(figure, text, colour.ink, x=1, xref="paper", xanchor="left", xshift=6, y=y, align="left")
