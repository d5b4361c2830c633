"""The coverage strip: the share of prices that ranges held, against the share that was promised."""

from typing import Literal

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure, note
from pricer.figures.formats import count_of, percent
from pricer.figures.palette import PALETTES, Look


def coverage_chart(strip: pl.DataFrame, look: Look, height: int = 300) -> go.Figure:
    """Draw levels of one run (level, items, covered, low, high, keeps_promise; shares from 0 to 1).

    Each is a dot with its 95 % interval, beside the line on which promises are kept.
    """
    colour = PALETTES[look]
    figure = new_figure(look, height)
    known = strip.drop_nulls("covered").to_dicts()
    ends = [min([0.45, *(each["low"] for each in known)]) - 0.02, 1.0]
    dotted = {"color": colour.ink, "width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=ends, y=ends, mode="lines", line=dotted, hoverinfo="skip"))
    for each in known:
        tint = {"kept": colour.after, "wider": colour.fair, "broken": colour.poor}[verdict(each)]
        symbol = {"kept": "circle", "wider": "diamond", "broken": "x-thin"}[verdict(each)]
        figure.add_trace(
            go.Scatter(
                x=[each["level"]] * 2, y=[each["low"], each["high"]], mode="lines", line={"color": tint, "width": 2},
                hoverinfo="skip",
            )
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=[each["level"]],
                y=[each["covered"]],
                mode="markers",
                marker={"size": 10, "color": tint, "symbol": symbol,
                        "line": {"color": tint, "width": 2 if symbol == "x-thin" else 0}},
                text=[_words(each)],
                hovertemplate="%{text}<extra></extra>",
            )
        )  # fmt: skip
    levels = strip["level"].to_list()
    ticks = {"tickvals": levels, "ticktext": [f"{level:.0%}" for level in levels]}
    figure.update_xaxes(range=[min([*levels, 0.5]) - 0.04, 1.0], showgrid=False, **ticks)
    figure.update_yaxes(range=ends, tickvals=[0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1], tickformat=".0%")
    edge = {"xref": "paper", "yref": "paper"}
    note(figure, "held", colour.quiet, x=0, y=1, xanchor="left", yanchor="top", xshift=4, **edge)
    note(figure, "promised", colour.quiet, x=1, y=0, xanchor="right", yanchor="bottom", **edge)
    return figure


def _words(each: dict) -> str:
    held = f"held {percent(each['covered'])} of {count_of(each['items'], 'item')}"
    interval = f"95% interval {percent(each['low'])} to {percent(each['high'])}"
    return f"promised {percent(each['level'])}<br>{held}<br>{interval}"


def coverage_finding(strip: pl.DataFrame) -> str:
    """Say whether the ranges hold what they promise: the title of the strip."""
    known = strip.drop_nulls("keeps_promise").to_dicts()
    if not known:
        return "No range to judge"
    levels_of: dict[str, list[str]] = {"broken": [], "wider": [], "kept": []}
    for each in known:
        levels_of[verdict(each)].append(f"{each['level']:.0%}")
    words = {"broken": "less than they promise", "wider": "more than they promise", "kept": "what they promise"}
    told = [
        words[which] if len(levels) == len(known) else f"{words[which]} at {_listed(levels)}"
        for which, levels in levels_of.items()
        if levels and (which != "kept" or len(levels) == len(known))
    ]
    return f"The ranges hold {', and '.join(told)}"


def verdict(each: dict) -> Literal["kept", "wider", "broken"]:
    """What became of a promise: kept, or more was held than promised, or less."""
    if each["keeps_promise"]:
        return "kept"
    return "wider" if each["covered"] > each["level"] else "broken"


def _listed(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
