"""A distribution over whole dollars: a bar a slot, its range in petrol, the guess on its line."""

import numpy as np
import plotly.graph_objects as go

from pricer.figures.canvas import new_figure, note, price_ticks
from pricer.figures.formats import percent, whole_dollars
from pricer.figures.palette import PALETTES, Look

EDGE = 0.1  # of the chart's width, for the label of a range's end on a phone
LEAST = 0.004  # of all chances that a shown end must have beyond it


def distribution_chart(
    chances: np.ndarray, ends: tuple[float, float], guess: float, look: Look, height: int = 230
) -> go.Figure:
    """Draw (1000,) chances over slots 0 to 999; `ends` are the range's in dollars. Tails without chances are cut."""
    colour = PALETTES[look]
    figure = new_figure(look, height)
    shares = chances / max(chances.sum(), 1e-12)
    first, last = _shown(shares)
    slots = np.arange(first, last + 1)
    within = (slots >= ends[0]) & (slots <= ends[1])
    figure.add_trace(
        go.Bar(
            x=slots,
            y=shares[slots],
            width=1,
            marker={"color": np.where(within, colour.after, colour.before).tolist(), "line": {"width": 0},
                    "cornerradius": 0},
            text=[f"{whole_dollars(slot)}<br>{percent(float(share))}" for slot, share in zip(slots, shares[slots],
                  strict=True)],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )
    )  # fmt: skip
    top = float(shares.max()) * 1.16
    for end, outside in zip(ends, ("right", "left"), strict=True):
        if first <= end <= last:
            side = _inwards(end, first, last) or outside
            note(figure, whole_dollars(end), colour.quiet, x=end, y=top, yanchor="top", xanchor=side)
    figure.add_shape(type="line", x0=guess, x1=guess, y0=0, y1=top, line={"color": colour.ink, "width": 1.5})
    plate = {"bgcolor": colour.panel, "borderpad": 3}
    note(figure, f"<b>{whole_dollars(guess)}</b>", colour.ink, x=guess, y=top, yanchor="bottom", **plate)
    figure.update_xaxes(**price_ticks(int(first), int(last)), showgrid=False)
    figure.update_yaxes(range=[0, top], showgrid=False, showticklabels=False)
    figure.update_layout(bargap=0, margin={"t": 26, "r": 18})
    return figure


def distribution_finding(name: str, low: float, high: float, level: float) -> str:
    """Say where a model expects the price.

    >>> distribution_finding("bins", 19.5, 61.5, 0.8)
    'By bins the price lies from $20 to $62, in 80% of cases'
    """
    return f"By {name} the price lies from {whole_dollars(low)} to {whole_dollars(high)}, in {level:.0%} of cases"


def _inwards(end: float, first: int, last: int) -> str | None:
    """On which side of a range's end its label stands where the edge of the chart would cut it; None elsewhere."""
    place = (end - first) / (last - first)
    return "left" if place < EDGE else "right" if place > 1 - EDGE else None


def _shown(shares: np.ndarray) -> tuple[int, int]:
    """The first and the last slot worth showing, some dollars apart at least."""
    reached = np.cumsum(shares)
    first = int((reached < LEAST).sum())
    last = int((reached < 1 - LEAST).sum())
    return max(0, min(first, len(shares) - 11)), min(len(shares) - 1, max(last, first + 10))
