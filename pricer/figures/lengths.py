"""Histograms of length, in characters or tokens, with the rule's cut."""

import numpy as np
import plotly.graph_objects as go

from pricer.figures.canvas import linear_ticks, new_figure, note, round_step
from pricer.figures.formats import count
from pricer.figures.palette import PALETTES, Look, mix


def cut_histogram(width: int, counts: list[int], overflow: int, more_than: int, look: Look) -> go.Figure:
    """Draw how many rows have which length: kept in the hand's colour, cut in grey, the cut as a line with its value.

    Bin i holds lengths from i * `width` up to the next bin; a last bin holds the `overflow`. A row is kept if its
    length is greater than `more_than`, so a bin that the cut divides counts as cut where most of it is.
    """
    colour = PALETTES[look]
    numbers = np.array([*counts, overflow])
    starts = np.arange(len(numbers)) * width
    kept = starts + width / 2 > more_than
    figure = new_figure(look, 240)
    names = [f"{count(int(start))} to {count(int(start) + width - 1)}" for start in starts]
    names[-1] = f"{count(int(starts[-1]))} or more"
    figure.add_trace(
        go.Bar(
            x=starts + width / 2,
            y=numbers,
            width=width * 0.86,
            marker={"color": np.where(kept, colour.after, mix(colour.before, colour.paper, 0.2)), "line": {"width": 0}},
            text=names,
            textposition="none",
            hovertemplate="%{text}<br>%{y:,} rows<extra></extra>",
        )
    )
    top = max(1, int(numbers.max(initial=1))) * 1.05
    end = len(numbers) * width
    if more_than > 0:
        figure.add_vline(x=more_than, line={"color": colour.ink, "width": 1.5})
        note(figure, count(more_than), colour.ink, x=more_than, y=1, yref="paper", yanchor="bottom")
    step = round_step(end, 5)
    ticks = np.arange(0, end, step)
    figure.update_xaxes(range=[0, end], tickvals=ticks, ticktext=[count(int(tick)) for tick in ticks], showgrid=False)
    figure.update_yaxes(**linear_ticks(top))
    figure.update_layout(margin_t=22, barcornerradius=1)
    return figure


def count_up_to(width: int, counts: list[int], more_than: int) -> int:
    """How many rows a cut at the edge of a bin drops."""
    return sum(counts[: more_than // width])
