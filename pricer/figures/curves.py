"""Curves over the course of a fit, of one run or of several on the same axes; and what a process took over time."""

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure, note, round_step
from pricer.figures.formats import dollars, safe, wrapped
from pricer.figures.palette import PALETTES, Look, Palette

_DASHES = ("solid", "dash", "dot", "dashdot")
Line = tuple[str, pl.DataFrame]  # a name, and a table of at and value in the order of at


def loss_chart(training: pl.DataFrame, validation: pl.DataFrame, unit: str, look: Look, height: int = 260) -> go.Figure:
    """Training loss in grey, validation loss in petrol; the last values stand at the ends."""
    colour = PALETTES[look]
    lines = [("training", training), ("validation", validation)]
    styles = [{"color": colour.before_outline, "width": 1.6}, {"color": colour.after, "width": 2.2}]
    return _draw(lines, styles, unit, colour, look, height, _plain)


def curve_chart(
    lines: list[Line], families: list[str], unit: str, look: Look, in_dollars: bool = False, height: int = 260
) -> go.Figure:
    """One figure of several runs, each in its family's colour, a second one of a family dashed; one alone is petrol."""
    colour = PALETTES[look]
    styles: list[dict] = []
    for place, family in enumerate(families):
        dash = _DASHES[families[:place].count(family) % len(_DASHES)]
        styles.append({"color": colour.family(family) if len(lines) > 1 else colour.after, "width": 2.2, "dash": dash})
    return _draw(lines, styles, unit, colour, look, height, dollars if in_dollars else _plain)


def meter_chart(at: list[float], values: list[float], look: Look, write, height: int = 130) -> go.Figure:
    """A small curve of what a process takes, over seconds from its start."""
    colour = PALETTES[look]
    table = pl.DataFrame({"at": at, "value": values}, schema={"at": pl.Float64, "value": pl.Float64})
    return _draw([("", table)], [{"color": colour.after, "width": 1.8}], "s", colour, look, height, write, floor=0.0)


def _plain(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _draw(
    lines: list[Line], styles: list[dict], unit: str, colour: Palette, look: Look, height: int, write, floor=None
) -> go.Figure:
    figure = new_figure(look, height)
    drawn = [(name, table, style) for (name, table), style in zip(lines, styles, strict=True) if len(table)]
    for name, table, style in drawn:
        words = [f"{safe(name, 40)} {write(value)}".strip() for value in table["value"]]
        figure.add_trace(
            go.Scatter(
                x=table["at"].to_numpy(),
                y=table["value"].to_numpy(),
                mode="lines+markers" if len(table) <= 12 else "lines",
                marker={"size": 5, "color": style["color"]},
                line=style,
                name=name,
                text=words,
                hovertemplate="%{text}<extra></extra>",
            )
        )
    values = [value for _, table, _ in drawn for value in (table["value"].min(), table["value"].max())]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    low = floor if floor is not None else low
    room = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    low, high = (low if floor is not None else low - room), high + room
    step = round_step(high - low, most=5 if height > 200 else 3)
    first = int(low / step) if low >= 0 else int(low / step) - 1
    ticks = [step * place for place in range(first, int(high / step) + 1) if step * place >= low]
    figure.update_yaxes(range=[low, high], tickvals=ticks, ticktext=[write(tick) for tick in ticks])
    last = max((table["at"][-1] for _, table, _ in drawn), default=1.0)
    first_at = min((table["at"][0] for _, table, _ in drawn), default=0.0)
    suffix = " s" if unit == "s" else ""
    figure.update_xaxes(range=[min(first_at, last * 0.999), last], showgrid=False, nticks=6, ticksuffix=suffix)
    _name_ends(figure, drawn, colour, (low, high), height, write)
    figure.update_layout(margin={"r": 128 if any(name for name, _, _ in drawn) else 78, "t": 10}, hovermode="x unified")
    return figure


def _name_ends(figure: go.Figure, drawn, colour: Palette, shown: tuple[float, float], height: int, write) -> None:
    """Write each line's last value and its name beside its end; labels never touch."""
    low, high = shown
    lines_of = {name: wrapped(name, 18, 4).count("<br>") + 2 if name else 1 for name, _, _ in drawn}
    reached = -float("inf")
    for name, table, _ in sorted(drawn, key=lambda each: each[1]["value"][-1]):
        least = (19 * lines_of[name] + 2) / max(1, height - 40) * (high - low)
        y = max(table["value"][-1], reached + least)
        reached = y
        words = f"<b>{write(table['value'][-1])}</b>"
        text = f"{wrapped(name, 18, 4)}<br>{words}" if name else words
        note(figure, text, colour.ink, x=1, xref="paper", xanchor="left", xshift=6, y=y, align="left")
