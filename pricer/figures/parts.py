"""Errors by part of an exam: dots with intervals by band or category, and a heat map of both together."""

import math

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import draw_cells, label, new_figure, note, round_step
from pricer.figures.formats import category_name, count, count_of, dollars, safe, whole_dollars, wrapped
from pricer.figures.palette import FAMILIES, PALETTES, Look, Palette, mix

THIN = 10  # items; a cell with fewer is drawn pale, for its mean is mostly chance
CELL = 38  # pixels
OTHERS = "other categories"


def parts_chart(tables: dict[str, pl.DataFrame], families: dict[str, str], look: Look, log: bool = False) -> go.Figure:
    """Draw one or two runs' tables of `evaluation.slices.by_part` by name: a dot with its interval for each part."""
    colour = PALETTES[look]
    parts = list(dict.fromkeys(part for table in tables.values() for part in table["part"]))
    row = 26 + 16 * (len(tables) - 1)
    figure = new_figure(look, 34 + row * max(1, len(parts)))
    items = {part: number for table in tables.values() for part, number in table.select("part", "items").iter_rows()}
    for place, (name, table) in enumerate(tables.items()):
        shift = 0 if len(tables) == 1 else 0.34 * (place - 0.5)
        tint = colour.family(families[name]) if len(tables) > 1 else colour.after
        symbol = FAMILIES[families[name]] if len(tables) > 1 else "circle"
        _draw(figure, name, table, parts, shift, tint, symbol, colour, hollow=place == 1)
    for place, part in enumerate(parts):
        words = f"<span style='color:{colour.quiet}'>{count(items[part])}</span>"
        note(figure, words, colour.ink, x=1, xref="paper", xanchor="right", xshift=58, y=place)
    figure.update_yaxes(
        range=[len(parts) - 0.5, -0.5],
        tickvals=list(range(len(parts))),
        ticktext=[
            wrapped(category_name(part), 20, 2) if len(tables) > 1 else safe(category_name(part), 28) for part in parts
        ],
        tickfont={"color": colour.ink, "size": 12},
        showgrid=False,
    )
    figure.update_xaxes(side="top", **_dollar_axis(list(tables.values()), log))
    figure.update_layout(margin={"r": 62, "t": 4, "b": 4})
    return figure


def _draw(
    figure: go.Figure, name: str, table: pl.DataFrame, parts: list[str], shift: float, tint: str, symbol: str,
    colour: Palette, hollow: bool,
) -> None:  # fmt: skip
    rows = table.with_columns(place=pl.col("part").replace_strict({part: i for i, part in enumerate(parts)}) + shift)
    for row in rows.drop_nulls("low").iter_rows(named=True):
        ends = {"x": [max(row["low"], 0.01), row["high"]], "y": [row["place"]] * 2}
        figure.add_trace(go.Scatter(**ends, mode="lines", line={"color": tint, "width": 2}, hoverinfo="skip"))
    inside = {"color": colour.paper, "line": {"color": tint, "width": 2}} if hollow else {"color": tint}
    figure.add_trace(
        go.Scatter(
            x=rows["error"].to_list(),
            y=rows["place"].to_list(),
            mode="markers",
            marker={"size": 9, "symbol": symbol} | inside,
            text=[_words(name, row) for row in rows.iter_rows(named=True)],
            hovertemplate="%{text}<extra></extra>",
        )
    )


def _words(name: str, row: dict) -> str:
    words = f"{safe(name, 40)}<br>{safe(category_name(row['part']), 40)}: {dollars(row['error'])}"
    if row["low"] is not None:
        words += f"<br>95% interval {dollars(row['low'])} to {dollars(row['high'])}"
    return f"{words}<br>{count_of(row['items'], 'item')}"


def _dollar_axis(tables: list[pl.DataFrame], log: bool) -> dict:
    ends = [
        value for table in tables for name in ("error", "low", "high") for value in table[name].drop_nulls().to_list()
    ]
    top = 1.05 * max(ends, default=1.0)
    if log:
        low = max(0.5, 0.8 * min((value for value in ends if value > 0), default=1.0))
        ticks = [factor * 10**power for power in range(4) for factor in (1, 2, 5) if low <= factor * 10**power <= top]
        ticks = ticks[:: math.ceil(len(ticks) / 6)] if ticks else []
        scale = {"type": "log", "range": [math.log10(low), math.log10(max(top, 2 * low))]}
        return scale | {"tickvals": ticks, "ticktext": [whole_dollars(tick) for tick in ticks]}
    step = round_step(top)
    ticks = [step * place for place in range(int(top / step) + 1)]
    write = whole_dollars if step >= 1 else dollars
    return {"range": [0, top], "tickvals": ticks, "ticktext": [write(tick) for tick in ticks]}


def heat_map(cells: pl.DataFrame, bands: list[str], look: Look) -> go.Figure:
    """Draw `evaluation.slices.grid`: the text is the error, the colour how it compares with its price band's mean.

    Red is worse than the band's mean, green better; pale where a cell has few items.
    """
    colour = PALETTES[look]
    sizes = cells.group_by("category").agg(pl.col("items").sum()).sort("items", descending=True)
    names = [*sizes["category"].drop_nulls().to_list(), *([None] if cells["category"].has_nulls() else [])]
    shown = [band for band in bands if band in set(cells["band"])]
    figure = new_figure(look, 44 + CELL * len(names))
    place_of = {name: place for place, name in enumerate(names)}
    points, words, boxes, labels = [], [], [], []
    for row in cells.iter_rows(named=True):
        x, y = shown.index(row["band"]), place_of[row["category"]]
        ends = {"x0": x - 0.48, "x1": x + 0.48, "y0": y - 0.46, "y1": y + 0.46}
        boxes.append(ends | {"fillcolor": _softened(row["ratio"], row["items"], colour)})
        thin = row["items"] < THIN
        labels.append(label(whole_dollars(row["error"]), colour.quiet if thin else colour.ink, x=x, y=y))
        points.append((x, y))
        words.append(
            f"{safe(category_name(row['category'] or OTHERS), 40)}, {row['band']}<br>{dollars(row['error'])} on "
            f"{count_of(row['items'], 'item')}<br>{row['ratio']:.2f} times its price band's mean"
        )
    draw_cells(figure, boxes, labels)
    figure.add_trace(
        go.Scatter(
            x=[x for x, _ in points],
            y=[y for _, y in points],
            mode="markers",
            marker={"size": CELL - 6, "opacity": 0, "symbol": "square"},
            text=words,
            hovertemplate="%{text}<extra></extra>",
        )
    )
    lows = [band.split(" to ")[0] for band in shown]
    figure.update_xaxes(
        side="top", range=[-0.5, len(shown) - 0.5], tickvals=list(range(len(shown))), ticktext=lows, showgrid=False
    )
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5],
        tickvals=list(range(len(names))),
        ticktext=[wrapped(category_name(name or OTHERS), 18, 2) for name in names],
        tickfont={"color": colour.ink, "size": 12},
        showgrid=False,
    )
    figure.update_layout(margin={"r": 4, "t": 4, "b": 0})
    return figure


def _softened(ratio: float, items: int, colour: Palette) -> str:
    """A cell's fill, light enough for ink: stronger the further its ratio is from 1, at most at half or double."""
    strength = min(1.0, abs(math.log2(max(ratio, 0.01))))
    if items < THIN:
        strength *= 0.35
    return mix(colour.paper, colour.poor if ratio > 1 else colour.good, 0.05 + 0.38 * strength)
