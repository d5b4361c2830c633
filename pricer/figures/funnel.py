"""The funnel: from rows to items, and what every rule dropped on the way."""

import plotly.graph_objects as go

from pricer.figures.canvas import new_figure, note
from pricer.figures.formats import MINUS, count, percent, wrapped
from pricer.figures.palette import PALETTES, Look, mix


def funnel(rows: int, dropped: list[tuple[str, int]], items: int, look: Look) -> go.Figure:
    """Draw what is still in (faint), what each rule dropped (grey) and the items (the hand), all on one scale.

    `dropped` gives every rule's words and its number of rows, in the order in which the rules are asked.
    """
    colour = PALETTES[look]
    labels = ["Rows read", *(words for words, _ in dropped), "Items"]
    remaining, left = [rows], rows
    for _, number in dropped:
        left -= number
        remaining.append(left)
    still_in = [*remaining, 0]
    lost = [0, *(number for _, number in dropped), 0]
    made = [0] * (len(labels) - 1) + [items]
    places = list(range(len(labels)))
    figure = new_figure(look, 20 + 38 * len(labels))
    parts = ((still_in, colour.faint), (lost, mix(colour.before, colour.ink, 0.2)), (made, colour.after))
    for widths, fill in parts:
        bars = {"orientation": "h", "width": 0.62, "hoverinfo": "skip"}
        figure.add_trace(go.Bar(x=widths, y=places, marker={"color": fill, "line": {"width": 0}}, **bars))
    edge = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8}
    note(figure, f"<b>{count(rows)}</b>", colour.ink, y=0, **edge)
    for place, (_, number) in enumerate(dropped, start=1):
        words = f"{MINUS}{count(number)}" if number else "0"
        note(figure, _right(words, number, rows, colour.quiet), colour.ink, y=place, **edge)
    note(figure, _right(count(items), items, rows, colour.quiet), colour.ink, y=places[-1], **edge)
    longest = len(count(rows)) + 8
    figure.update_layout(barmode="stack", margin={"r": 12 + 7 * longest, "t": 0}, hovermode=False)
    figure.update_xaxes(range=[0, max(1, rows)], showgrid=False, showticklabels=False)
    figure.update_yaxes(
        range=[len(labels) - 0.5, -0.5],
        tickvals=places,
        ticktext=[wrapped(label, 19) for label in labels],
        tickfont={"color": colour.ink, "size": 12},
        showgrid=False,
    )
    return figure


def _right(number: str, part: int, whole: int, quiet: str) -> str:
    share = percent(part / whole) if whole else "none"
    return f"<b>{number}</b> <span style='color:{quiet}'>{share}</span>"
