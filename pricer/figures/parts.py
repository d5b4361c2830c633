"""Errors by part of an exam: dots with intervals by band or category, and a heat map of both together."""

import math
from collections.abc import Callable, Sequence

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import draw_cells, label, new_figure, note, round_step
from pricer.figures.formats import category_name, count, count_of, dollars, safe, whole_dollars, wrapped
from pricer.figures.measures import MEASURES
from pricer.figures.palette import FAMILIES, PALETTES, Look, Palette, mix

THIN = 10  # items; a cell with fewer is drawn pale, for its mean is mostly chance
CELL = 38  # pixels
OTHERS = "other categories"


def parts_chart(
    tables: dict[str, pl.DataFrame],
    families: dict[str, str],
    look: Look,
    log: bool = False,
    order: Sequence[str] | None = None,
    measure: str = "error",
) -> go.Figure:
    """Draw one or two runs' tables of `evaluation.slices.by_part` by name: a dot for each part, an error with its
    interval, another figure of `MEASURES` without.

    `order` is that of the parts from the top; without it they come as the tables have them. At the right edge stands
    how many items of a part were asked: once, or beside each run's dot where the runs were asked different ones.
    """
    colour, write = PALETTES[look], MEASURES[measure][1]
    if measure != "error":
        no_end = pl.lit(None, pl.Float64)
        tables = {name: it.with_columns(error=measure, low=no_end, high=no_end) for name, it in tables.items()}
    found = {part: None for table in tables.values() for part in table["part"]}
    parts = list(found) if order is None else [part for part in order if part in found]
    row = 26 + 16 * (len(tables) - 1)
    figure = new_figure(look, 34 + row * max(1, len(parts)))
    shifts = [0.34 * (place - 0.5 * (len(tables) - 1)) for place in range(len(tables))]
    marks = part_marks(families)
    for (name, table), shift in zip(tables.items(), shifts, strict=True):
        tint = colour.family(families[name]) if len(tables) > 1 else colour.after
        symbol, hollow = marks[name] if len(tables) > 1 else ("circle", False)
        _draw(figure, name, table, parts, shift, tint, symbol, hollow, colour, write)
    _write_items(figure, list(tables.values()), parts, shifts, colour)
    figure.update_yaxes(
        range=[len(parts) - 0.5, -0.5],
        tickvals=list(range(len(parts))),
        ticktext=[
            wrapped(category_name(part), 20, 2) if len(tables) > 1 else safe(category_name(part), 28) for part in parts
        ],
        tickfont={"color": colour.ink, "size": 12},
        showgrid=False,
    )
    figure.update_xaxes(side="top", **_axis(list(tables.values()), log, write))
    figure.update_layout(margin={"r": 62, "t": 4, "b": 4})
    return figure


def part_marks(families: dict[str, str]) -> dict[str, tuple[str, bool]]:
    """The symbol of each run's dots and whether they are hollow: a second run of one family is, a disc for a bar.

    >>> part_marks({"a": "words", "b": "trees"}), part_marks({"a": "yardstick", "b": "yardstick"})
    ({'a': ('circle', False), 'b': ('triangle-up', False)}, {'a': ('line-ns', False), 'b': ('circle', True)})
    """
    marks: dict[str, tuple[str, bool]] = {}
    for name, family in families.items():
        hollow = any(families[other] == family for other in marks)
        symbol = FAMILIES[family]
        marks[name] = ("circle" if hollow and symbol == "line-ns" else symbol, hollow)
    return marks


def parts_finding(name: str, table: pl.DataFrame, part: str) -> str:
    """Where a run errs most of all that is drawn, unless that may be the chance of a few items.

    >>> table = pl.DataFrame({"part": ["Tools", "Toys"], "error": [9.0, 2.0], "low": [7.0, None]})
    >>> parts_finding("ridge", table, "category"), parts_finding("ridge", table.reverse().tail(0), "band")
    ('ridge errs most on Tools', 'Error by price band')
    """
    worst = table.sort("error", descending=True).head(1)
    if worst["low"].count() == 0:
        return f"Error by {'price band' if part == 'band' else part}"
    return f"{name} errs most {'from' if part == 'band' else 'on'} {category_name(worst['part'].item())}"


def _write_items(
    figure: go.Figure, tables: list[pl.DataFrame], parts: list[str], shifts: list[float], colour: Palette
) -> None:
    numbers = [dict(table.select("part", "items").iter_rows()) for table in tables]
    for place, part in enumerate(parts):
        of_part = [each.get(part, 0) for each in numbers]
        shown = [(0.0, of_part[0])] if len(set(of_part)) == 1 else list(zip(shifts, of_part, strict=True))
        for shift, number in shown:
            note(figure, count(number), colour.quiet, x=1, xref="paper", xanchor="right", xshift=58, y=place + shift)


def _draw(
    figure: go.Figure, name: str, table: pl.DataFrame, parts: list[str], shift: float, tint: str, symbol: str,
    hollow: bool, colour: Palette, write: Callable[[float], str],
) -> None:  # fmt: skip
    place_of = {part: place for place, part in enumerate(parts)}
    rows = table.with_columns(
        place=pl.col("part").replace_strict(place_of, default=None, return_dtype=pl.Float64) + shift
    ).drop_nulls(["place", "error"])
    for row in rows.drop_nulls("low").iter_rows(named=True):
        ends = {"x": [max(row["low"], 0.01), row["high"]], "y": [row["place"]] * 2}
        figure.add_trace(go.Scatter(**ends, mode="lines", line={"color": tint, "width": 2}, hoverinfo="skip"))
    outline = {"color": tint, "width": 2 if hollow or symbol == "line-ns" else 0}
    figure.add_trace(
        go.Scatter(
            x=rows["error"].to_list(),
            y=rows["place"].to_list(),
            mode="markers",
            cliponaxis=False,
            marker={"size": 9, "symbol": symbol, "color": colour.paper if hollow else tint, "line": outline},
            text=[_words(name, row, write) for row in rows.iter_rows(named=True)],
            hovertemplate="%{text}<extra></extra>",
        )
    )


def _words(name: str, row: dict, write: Callable[[float], str]) -> str:
    words = f"{safe(name, 40)}<br>{safe(category_name(row['part']), 40)}: {write(row['error'])}"
    if row["low"] is not None:
        words += f"<br>95% interval {dollars(row['low'])} to {dollars(row['high'])}"
    return f"{words}<br>{count_of(row['items'], 'item')}"


def _axis(tables: list[pl.DataFrame], log: bool, write: Callable[[float], str]) -> dict:
    ends = [
        value for table in tables for name in ("error", "low", "high") for value in table[name].drop_nulls().to_list()
    ]
    top = 1.05 * max([0.0, *ends]) or 1.0
    if log:
        low = max(0.5, 0.8 * min((value for value in ends if value > 0), default=1.0))
        ticks = [factor * 10**power for power in range(4) for factor in (1, 2, 5) if low <= factor * 10**power <= top]
        ticks = ticks[:: math.ceil(len(ticks) / 6)] if ticks else []
        scale = {"type": "log", "range": [math.log10(low), math.log10(max(top, 2 * low))]}
        return scale | {"tickvals": ticks, "ticktext": [whole_dollars(tick) for tick in ticks]}
    low = 1.05 * min([0.0, *ends])
    step = round_step(top - low)
    ticks = [step * place for place in range(math.ceil(low / step), int(top / step) + 1)]
    told = whole_dollars if write is dollars and step >= 1 else write
    return {"range": [low, top], "tickvals": ticks, "ticktext": [told(tick) for tick in ticks]}


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
