"""Histograms of price: one bin per whole-dollar slot, drawn as areas with steps."""

from typing import Literal

import numpy as np
import plotly.graph_objects as go

from pricer.figures.canvas import linear_ticks, log_ticks, new_figure, note, price_ticks
from pricer.figures.formats import whole_dollars
from pricer.figures.palette import PALETTES, Look

Scale = Literal["log", "linear"]
LOWEST, HIGHEST = 1, 999
FLOOR = 0.7  # where a logarithmic axis starts, so that one item is still to be seen


def price_histogram(
    counts: np.ndarray,
    look: Look,
    scale: Scale = "log",
    low: int = LOWEST,
    high: int = HIGHEST,
    height: int = 260,
) -> go.Figure:
    """Draw how many items lie in every slot from `low` to `high`; `counts` has one number per slot from 0 upwards."""
    colour = PALETTES[look]
    slots = np.arange(low, high + 1)
    shown = counts[low : high + 1]
    figure = new_figure(look, height)
    top = _top(shown, scale)
    figure.add_trace(_area(slots, shown, scale, colour.before_fill, colour.before_outline))
    figure.add_trace(_columns(slots, top, shown[:, None], "%{customdata[0]:,} items", colour.ink))
    _name_spikes(figure, slots, shown, scale, top, colour.ink)
    return _finish(figure, scale, top, low, high)


def shares_by_price(
    parts: dict[str, np.ndarray],
    look: Look,
    bin_dollars: int = 20,
    height: int = 260,
) -> go.Figure:
    """Draw train, validation and exam on one axis, each as shares of its own items in bins of `bin_dollars`.

    `parts` maps the three names to counts per slot. The exam is the reference, train is what was made.
    """
    colour = PALETTES[look]
    figure = new_figure(look, height)
    starts = np.arange(0, HIGHEST + 1, bin_dollars)
    middles = starts + bin_dollars / 2
    styles = {
        "exam": {"line": {"color": colour.before_outline, "width": 1}, "fillcolor": colour.before_fill},
        "train": {"line": {"color": colour.after, "width": 2}},
        "validation": {"line": {"color": colour.ink, "width": 1.5, "dash": "dot"}},
    }
    top = 0.0
    for name, style in styles.items():
        binned = np.add.reduceat(parts[name][: HIGHEST + 1], starts)
        shares = binned / max(1, binned.sum())
        top = max(top, float(shares.max()))
        figure.add_trace(
            go.Scatter(
                x=middles,
                y=shares,
                name=name,
                mode="lines",
                line_shape="hvh",
                fill="tozeroy" if "fillcolor" in style else None,
                customdata=np.column_stack([starts, starts + bin_dollars - 1, binned]),
                hovertemplate=name + " %{y:.1%}, %{customdata[2]:,} items<extra></extra>",
                **style,
            )
        )
    step_axis = linear_ticks(top * 100 * 1.05)
    figure.update_yaxes(
        range=[0, top * 1.05],
        tickvals=[value / 100 for value in step_axis["tickvals"]],
        ticktext=[f"{value:g}%" for value in step_axis["tickvals"]],
    )
    figure.update_xaxes(**price_ticks(0, HIGHEST), showgrid=False, hoverformat="$,.0f")
    figure.update_layout(hovermode="x unified")
    return figure


def spikes(slots: np.ndarray, counts: np.ndarray, most: int = 6, apart: float = 0.095) -> list[int]:
    """Find the slots that stand at least twice above their neighbourhood, the tallest first kept, `apart` of the range.

    A neighbourhood is the median of the ten slots on either side. Below the lowest slot there is more of it, as counts
    fall off from there; beyond the highest the others come again.
    """
    if len(counts) < 5 or counts.max(initial=0) == 0:
        return []
    padded = np.pad(np.pad(counts.astype(float), (0, 10), mode="reflect"), (10, 0), mode="edge")
    local = np.median(np.lib.stride_tricks.sliding_window_view(padded, 21), axis=1)
    tall = np.flatnonzero((counts >= 2 * np.maximum(local, 1)) & (counts >= 5))
    found: list[int] = []
    for place in tall[np.argsort(-counts[tall], kind="stable")]:
        if len(found) < most and all(abs(place - other) >= apart * len(counts) for other in found):
            found.append(int(place))
    return sorted(int(slots[place]) for place in found)


def _area(slots: np.ndarray, counts: np.ndarray, scale: Scale, fill: str, outline: str) -> go.Scatter:
    heights = np.where(counts > 0, counts, FLOOR / 2) if scale == "log" else counts
    return go.Scatter(
        x=slots,
        y=heights,
        mode="lines",
        line={"shape": "hvh", "width": 1, "color": outline},
        fill="tozeroy",
        fillcolor=fill,
        hoverinfo="skip",
    )


def _columns(slots: np.ndarray, top: float, numbers: np.ndarray, words: str, ink: str) -> go.Bar:
    """Unseen columns over the full height: they carry the hover."""
    return go.Bar(
        x=slots,
        y=np.full(len(slots), top),
        customdata=numbers,
        hovertemplate=f"{words}<extra></extra>",
        marker={"color": ink, "opacity": 0, "line": {"width": 0}, "cornerradius": 0},
    )


def _top(counts: np.ndarray, scale: Scale) -> float:
    highest = max(1, int(counts.max(initial=1)))
    return highest * (1.9 if scale == "log" else 1.08)


def _finish(figure: go.Figure, scale: Scale, top: float, low: int, high: int) -> go.Figure:
    figure.update_yaxes(**(log_ticks(FLOOR, top) if scale == "log" else linear_ticks(top)))
    figure.update_xaxes(**price_ticks(low, high), showgrid=False, hoverformat="$,d")
    figure.update_layout(bargap=0, hovermode="x unified")
    return figure


def _height(value: float, scale: Scale) -> float:
    """A value as annotations and shapes want it: on a logarithmic axis they take the exponent."""
    return float(np.log10(value)) if scale == "log" else value


def _name_spikes(figure: go.Figure, slots: np.ndarray, counts: np.ndarray, scale: Scale, top: float, ink: str) -> None:
    for slot in spikes(slots, counts):
        tall = min(float(counts[slot - slots[0]]), top)
        place = {"x": slot, "y": _height(tall, scale), "yanchor": "bottom"}
        note(figure, whole_dollars(slot), ink, xanchor="center", yshift=1, **place)
