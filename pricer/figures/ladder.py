"""The ladder: errors from a constant guess to a stack, and what each step bought."""

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure, note, round_step
from pricer.figures.effect import signed_dollars
from pricer.figures.findings import settling
from pricer.figures.formats import dollars, in_words, safe, whole_dollars, wrapped
from pricer.figures.palette import FAMILIES, PALETTES, Look, Palette

ROW = 52  # pixels a rung


def ladder_chart(steps: pl.DataFrame, look: Look) -> go.Figure:
    """Draw a table of `pricer.evaluation.effects.steps`, the first rung on top.

    A bar reaches from the error of the rung before to that of this one: green where it is better, crimson where it is
    worse, grey in a tie. The mark is the error with its interval; at the right the error, and the step with its
    half-width.
    """
    colour = PALETTES[look]
    rows = steps.to_dicts()
    figure = new_figure(look, 34 + ROW * max(1, len(rows)))
    for place, row in enumerate(rows):
        if place:
            _draw_step(figure, place, rows[place - 1]["error"], row, colour)
        _draw_rung(figure, place, row, colour)
    figure.update_yaxes(
        range=[len(rows) - 0.5, -0.5],
        tickvals=list(range(len(rows))),
        ticktext=[wrapped(row["rung"], 16, 2) for row in rows],
        tickfont={"color": colour.ink, "size": 12},
        showgrid=False,
    )
    figure.update_xaxes(side="top", **_axis(steps))
    figure.update_layout(margin={"r": 122, "t": 4, "b": 4})
    return figure


def _draw_step(figure: go.Figure, place: int, before: float, row: dict, colour: Palette) -> None:
    fill = {"better": colour.good, "worse": colour.poor, "tie": colour.before}[row["verdict"]]
    figure.add_shape(
        type="rect", x0=before, x1=row["error"], y0=place - 0.13, y1=place + 0.13, fillcolor=fill, line_width=0,
        layer="below", opacity=0.55,
    )  # fmt: skip
    dotted = {"color": colour.axis, "width": 1, "dash": "dot"}
    figure.add_shape(type="line", x0=before, x1=before, y0=place - 1, y1=place + 0.13, line=dotted, layer="below")


def _draw_rung(figure: go.Figure, place: int, row: dict, colour: Palette) -> None:
    tint = colour.family(row["family"])
    words = f"{safe(row['rung'])}<br>{dollars(row['error'])} on average"
    if row["error_low"] is not None:
        ends = [row["error_low"], row["error_high"]]
        line = {"color": tint, "width": 2}
        figure.add_trace(go.Scatter(x=ends, y=[place] * 2, mode="lines", line=line, hoverinfo="skip"))
        words += f"<br>95% interval {dollars(ends[0])} to {dollars(ends[1])}"
    if row["difference"] is not None:
        words += f"<br>{_step_words(row)} on the rung before"
    bar = row["family"] == "yardstick"
    outline = {"color": tint, "width": 3} if bar else {"color": colour.paper, "width": 1}
    marker = {"symbol": FAMILIES[row["family"]], "size": 13 if bar else 11, "color": tint, "line": outline}
    figure.add_trace(
        go.Scatter(
            x=[row["error"]],
            y=[place],
            mode="markers",
            marker=marker,
            text=[words],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    edge = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": 120, "align": "right", "y": place}
    if row["difference"] is None:
        note(figure, f"<b>{dollars(row['error'])}</b>", colour.ink, size=13, **edge)
        return
    judged = {"better": colour.good_text, "worse": colour.poor_text, "tie": colour.quiet}[row["verdict"]]
    note(figure, f"<b>{dollars(row['error'])}</b>", colour.ink, size=13, yshift=9, **edge)
    note(figure, _step_words(row), judged, yshift=-9, **edge)


def _step_words(row: dict) -> str:
    """A step with its half-width: `−$3.10 ± 0.90`, a tie by name."""
    half = "" if row["high"] is None else f" ± {row['high'] - row['difference']:,.2f}"
    mark = {"better": "● ", "worse": "✕ ", "tie": "tie, "}[row["verdict"]]
    return f"{mark}{signed_dollars(row['difference'])}{half}"


def _axis(steps: pl.DataFrame) -> dict:
    names = ("error", "error_low", "error_high")
    ends = [value for name in names for value in steps[name].drop_nulls()] or [0.0, 1.0]
    room = max(0.06 * (max(ends) - min(ends)), 0.01)
    low, high = max(0.0, min(ends) - room), max(ends) + room
    step = round_step(high - low)
    ticks = [step * place for place in range(int(low / step), int(high / step) + 1) if step * place >= low]
    return {
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [(whole_dollars if step >= 1 else dollars)(t) for t in ticks],
    }


def ladder_finding(steps: pl.DataFrame) -> str:
    """Which step bought most, and which bought nothing that shows.

    >>> table = pl.DataFrame({"rung": ["Mean price", "Bag of words", "Boosting"], "error": [50.0, 38.0, 37.5],
    ...     "difference": [None, -12.0, -0.5], "verdict": [None, "better", "tie"]})
    >>> ladder_finding(table)
    'The step to Bag of words buys most, $12.00; one step is a tie'
    """
    taken = steps.filter(pl.col("verdict").is_not_null())
    if taken.is_empty():
        return "Mean error of every rung"
    better = taken.filter(pl.col("verdict") == "better").sort("difference")
    counts = {verdict: (taken["verdict"] == verdict).sum() for verdict in ("tie", "worse")}
    said = (
        [f"The step to {better['rung'][0]} buys most, {dollars(-better['difference'][0])}"]
        if len(better)
        else ["No step buys anything"]
    )
    ends = {"tie": ("is a tie", "are ties"), "worse": ("makes it worse", "make it worse")}
    said += [
        f"{in_words(number)} {'step' if number == 1 else 'steps'} {ends[verdict][number > 1]}"
        for verdict, number in counts.items()
        if number
    ]
    return "; ".join(said)


def ladder_note(steps: pl.DataFrame, items: str) -> str:
    """From where to where the ladder leads, and what would settle its first tie."""
    first, last = steps["error"][0], steps["error"][-1]
    words = f"from {dollars(first)} to {dollars(last)} on {items}; each step with its paired 95% interval"
    tied = steps.filter((pl.col("verdict") == "tie") & pl.col("items_to_settle").is_not_null())
    if len(tied) == 1:
        words += f"; for the tie of {tied['rung'][0]} {settling(tied['items_to_settle'][0])}"
    return words
