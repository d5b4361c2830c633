"""Charts of categories: bars before and after, and how each share changed."""

import numpy as np
import plotly.graph_objects as go

from pricer.figures.canvas import new_figure, note, round_step
from pricer.figures.formats import category_name, count, points, safe, wrapped
from pricer.figures.palette import PALETTES, Look, mix

ROW = 42  # pixels per category where the label stands above its bar


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
