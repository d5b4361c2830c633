"""Charts of categories: bars before and after, the donut, and how each share changed."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from pricer.figures.canvas import new_figure, note, round_step
from pricer.figures.formats import category_name, count, percent, points, safe, wrapped
from pricer.figures.palette import PALETTES, Look, mix

ROW = 42  # pixels per category where the label stands above its bar
MOST_SLICES = 8


def folded(names: list[str], *counts: np.ndarray, most: int = 12) -> tuple:
    """Keep the categories with the largest first counts and add the others up as "N others", if there are too many."""
    order = np.argsort(-counts[0], kind="stable")
    kept, rest = order[: most - 1], order[most - 1 :]
    if len(rest) < 2:
        return names, *counts
    summed = [np.append(numbers[kept], numbers[rest].sum()) for numbers in counts]
    return [*(names[place] for place in kept), f"{len(rest)} others"], *summed


def category_bars(names: list[str], before: np.ndarray, after: np.ndarray, look: Look) -> go.Figure:
    """Draw one bar per category, before as its track and after as the filled part; the label stands above."""
    colour = PALETTES[look]
    order = np.argsort(-before, kind="stable")
    rows = np.arange(len(order))
    figure = new_figure(look, max(90, 16 + ROW * len(order)))
    for counts, fill in ((before, mix(colour.before, colour.paper, 0.3)), (after, colour.after)):
        figure.add_trace(
            go.Bar(
                x=counts[order],
                y=rows,
                orientation="h",
                width=0.34,
                marker={"color": fill, "line": {"width": 0}},
                hoverinfo="skip",
            )
        )
    for row, place in enumerate(order):
        text = f"{safe(category_name(names[place]), 40)}  <b>{count(int(after[place]))}</b>"
        text += f" <span style='color:{colour.quiet}'>of {count(int(before[place]))}</span>"
        label = {"xanchor": "left", "yanchor": "bottom", "yshift": 8, "align": "left"}
        note(figure, text, colour.ink, x=0, y=row, **label)
    figure.update_layout(barmode="overlay", margin={"r": 0, "t": 12}, hovermode=False)
    figure.update_xaxes(range=[0, max(1, before.max(initial=1))], showgrid=False, showticklabels=False)
    figure.update_yaxes(range=[len(order) - 0.5, -0.7], showgrid=False, showticklabels=False)
    return figure


def share_changes(names: list[str], before: np.ndarray, after: np.ndarray, look: Look) -> go.Figure:
    """Draw each category's share of all items, from a ring (before) to a disc (after), the change at the right edge."""
    colour = PALETTES[look]
    old, new = before / max(1, before.sum()), after / max(1, after.sum())
    order = np.argsort(-old, kind="stable")
    rows = np.arange(len(order))
    figure = new_figure(look, 40 + 32 * len(order))
    lines = np.column_stack([old[order], new[order], np.full(len(order), np.nan)]).ravel()
    link = {"color": mix(colour.before, colour.ink, 0.2), "width": 2}
    figure.add_trace(go.Scatter(x=lines, y=np.repeat(rows, 3), mode="lines", line=link, hoverinfo="skip"))
    ring = {"size": 11, "color": colour.paper, "line": {"color": colour.before_outline, "width": 2}}
    disc = {"size": 11, "color": colour.after, "line": {"width": 0}}
    for word, shares, marker in (("before", old, ring), ("after", new, disc)):
        figure.add_trace(
            go.Scatter(
                x=shares[order],
                y=rows,
                mode="markers",
                marker=marker,
                text=[safe(category_name(names[place])) for place in order],
                hovertemplate="%{text}<br>" + word + " %{x:.1%}<extra></extra>",
            )
        )
    edge = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": 62}
    for row, place in enumerate(order):
        note(figure, points(float(new[place] - old[place])), colour.ink, y=row, **edge)
    note(figure, "points", colour.quiet, y=-0.85, **edge)
    top = max(float(old.max(initial=0)), float(new.max(initial=0)), 0.01) * 1.05
    step = round_step(top * 100) / 100
    ticks = np.arange(0, top, step)
    figure.update_xaxes(range=[-0.02 * top, top], tickvals=ticks, ticktext=[f"{100 * tick:g}%" for tick in ticks])
    labels = [wrapped(category_name(names[place])) for place in order]
    label_font = {"color": colour.ink, "size": 12}
    figure.update_yaxes(
        range=[len(order) - 0.4, -1.2], tickvals=rows, ticktext=labels, tickfont=label_font, showgrid=False
    )
    figure.update_layout(margin={"r": 66, "t": 4})
    return figure


@dataclass(frozen=True)
class Slice:
    """One part of a donut: angles in turns from twelve o'clock, clockwise where positive."""

    name: str
    items: int
    start: float
    end: float

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


def slices(names: list[str], counts: np.ndarray, most: int = MOST_SLICES) -> list[Slice]:
    """Deal the parts of a donut to its two sides by rank (right, left, left, right), so that both are equally full.

    Both sides begin at twelve o'clock with their largest part. Beyond `most` parts the smallest become "others".
    """
    order = [place for place in np.argsort(-counts, kind="stable") if counts[place] > 0]
    parts = [(category_name(names[place]), int(counts[place])) for place in order]
    if len(parts) > most:
        parts = [*parts[: most - 1], ("others", sum(items for _, items in parts[most - 1 :]))]
    total = sum(items for _, items in parts) or 1
    reached = {1: 0.0, -1: 0.0}
    dealt = []
    for rank, (name, items) in enumerate(parts):
        side = 1 if rank % 4 in (0, 3) else -1
        start = reached[side]
        reached[side] = start + side * items / total
        dealt.append(Slice(name, items, start, reached[side]))
    return dealt


def spread(wanted: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Move labels apart, as little as possible: positions from the top down, `gaps` between neighbours.

    Least squares under the order: pools of touching labels move together (pool adjacent violators).
    """
    offsets = np.concatenate([[0.0], np.cumsum(gaps)])
    pools: list[list[float]] = []  # mean, size
    for value in -wanted - offsets:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, size = pools.pop()
            before = pools[-1]
            before[0] = (before[0] * before[1] + mean * size) / (before[1] + size)
            before[1] += size
    means = np.repeat([mean for mean, _ in pools], [int(size) for _, size in pools])
    return -(means + offsets)


def donut(names: list[str], counts: np.ndarray, look: Look, height: int = 340) -> go.Figure:
    """Draw shares as a ring with the total in its middle and every label readable beside it."""
    colour = PALETTES[look]
    figure = new_figure(look, height)
    parts = slices(names, counts)
    total = max(1, int(counts.sum()))
    for rank, part in enumerate(parts):
        fill = mix(colour.after, colour.paper, 0.72 * rank / max(1, len(parts) - 1))
        figure.add_trace(_wedge(part, part.items / total, fill, colour.paper))
    for side in (1, -1):
        _label_side(figure, [part for part in parts if np.sign(part.middle) == side], total, side, look)
    note(figure, f"<b>{count(int(counts.sum()))}</b>", colour.ink, size=18, x=0, y=0.09)
    note(figure, "items", colour.quiet, x=0, y=-0.2)
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(range=[-3.05, 3.05], constrain="range", **hidden)
    figure.update_yaxes(range=[-1.75, 1.75], scaleanchor="x", constrain="range", **hidden)
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return figure


def _wedge(part: Slice, share: float, fill: str, paper: str) -> go.Scatter:
    turns = np.linspace(part.start, part.end, max(8, int(120 * abs(part.end - part.start))))
    x, y = _at(turns, 1.0)
    inner_x, inner_y = _at(turns[::-1], 0.62)
    return go.Scatter(
        x=np.concatenate([x, inner_x]),
        y=np.concatenate([y, inner_y]),
        mode="lines",
        fill="toself",
        fillcolor=fill,
        line={"color": paper, "width": 2},
        hoveron="fills",
        hoverinfo="text",
        text=f"{safe(part.name)}<br>{count(part.items)} items, {percent(share)}",
    )


def _label_side(figure: go.Figure, parts: list[Slice], total: int, side: int, look: Look) -> None:
    """Write one side's labels in a column, each joined to its part by a line."""
    if not parts:
        return
    colour = PALETTES[look]
    texts = [f"<b>{percent(part.items / total)}</b><br>{wrapped(part.name, 16)}" for part in parts]
    lines = np.array([text.count("<br>") + 1 for text in texts])
    wanted = np.array([_at(np.array([part.middle]), 1.0)[1][0] for part in parts])
    heights = spread(wanted, 0.12 + 0.27 * (lines[1:] + lines[:-1]) / 2)
    for part, text, height in zip(parts, texts, heights, strict=True):
        (x,), (y,) = _at(np.array([part.middle]), 1.03)
        figure.add_trace(
            go.Scatter(
                x=[x, side * 1.16, side * 1.26],
                y=[y, height, height],
                mode="lines",
                line={"color": colour.axis, "width": 1},
                hoverinfo="skip",
            )
        )
        anchor = {"xanchor": "left", "align": "left"} if side > 0 else {"xanchor": "right", "align": "right"}
        note(figure, text, colour.ink, x=side * 1.3, y=height, yanchor="middle", **anchor)


def _at(turns: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    return radius * np.sin(2 * np.pi * turns), radius * np.cos(2 * np.pi * turns)
