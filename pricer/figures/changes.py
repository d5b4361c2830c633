"""What another recipe adds and removes, as bars to both sides of nothing."""

import numpy as np
import plotly.graph_objects as go

from pricer.figures.canvas import new_figure, note
from pricer.figures.formats import category_name, count, wrapped
from pricer.figures.palette import PALETTES, Look, mix

ROW = 34  # pixels per name
ROOM = 0.35  # of the longest bars, on each side that has any, for the numbers at their ends on a phone


def change_bars(names: list[str], added: np.ndarray, removed: np.ndarray, look: Look) -> go.Figure:
    """Draw one row per name, the first on top: removed items to the left in grey, added ones to the right."""
    colour = PALETTES[look]
    rows = np.arange(len(names))
    figure = new_figure(look, 20 + ROW * len(names))
    for items, side, fill in (
        (removed, -1, mix(colour.before, colour.ink, 0.1)),
        (added, 1, colour.after),
    ):
        bars = {"orientation": "h", "width": 0.5, "marker": {"color": fill, "line": {"width": 0}}, "hoverinfo": "skip"}
        figure.add_trace(go.Bar(x=side * items, y=rows, **bars))
        for row in np.flatnonzero(items).tolist():
            anchor = {"xanchor": "left" if side > 0 else "right", "xshift": 5 * side}
            note(figure, count(int(items[row])), colour.ink, x=side * int(items[row]), y=row, **anchor)
    left, right = int(removed.max(initial=0)), int(added.max(initial=0))
    room = ROOM * max(1, left + right)
    figure.add_vline(x=0, line={"color": colour.axis, "width": 1})
    ends = [-left - room * bool(left), right + room * bool(right)]
    figure.update_xaxes(range=ends, showgrid=False, showticklabels=False)
    labels = [wrapped(category_name(name)) for name in names]
    figure.update_yaxes(
        range=[len(names) - 0.4, -0.6],
        tickvals=rows,
        ticktext=labels,
        tickfont={"color": colour.ink, "size": 12},
        showgrid=False,
    )
    figure.update_layout(barmode="overlay", hovermode=False, margin={"t": 0})
    return figure
