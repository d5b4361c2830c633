"""Error against cost, with the line of runs that no other beats in both; and the best run of each family."""

import math

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure, note, round_step, within_reach
from pricer.figures.formats import count_of, dollars, duration, in_words, safe, whole_dollars, wrapped
from pricer.figures.palette import FAMILIES, PALETTES, Look

LONGEST = 20  # characters of a name in the chart, which on a phone has no room for more
COST_NAMES = {
    "fit_seconds": "time to fit",
    "seconds_per_1000": "time for 1,000 guesses",
    "dollars_per_1000": "dollars for 1,000 guesses",
}
LEAST = {"fit_seconds": 0.01, "seconds_per_1000": 0.001, "dollars_per_1000": 0.001}
_TIMES = {0.001: "1 ms", 0.01: "10 ms", 0.1: "0.1 s", 1: "1 s", 10: "10 s", 100: "100 s", 1000: "17 min",
          10_000: "3 h", 100_000: "28 h"}  # fmt: skip
ROW = 42  # pixels per family, whose words stand above its bar


def frontier_chart(table: pl.DataFrame, cost: str, look: Look, height: int = 380) -> go.Figure:
    """Draw `evaluation.frontier.cost_table`: a run a mark, those on the frontier named and joined by a stepped line.

    A run that errs over twice as much as any other, or whose cost nobody measured, is left out: see `off_chart`.
    """
    colour = PALETTES[look]
    figure = new_figure(look, height)
    reach = within_reach(table["error"])
    known = table.drop_nulls(cost).filter(pl.col("error") <= reach)
    costs = known.with_columns(pl.col(cost).clip(LEAST[cost]).alias("x"))
    best = costs.filter(f"{cost}_frontier").sort("x", "error", descending=[False, True])
    low, high = (costs["x"].min() or 1) / 1.6, (costs["x"].max() or 1) * 4
    line = {"color": colour.before_outline, "width": 1.5, "shape": "hv"}
    figure.add_trace(go.Scatter(x=best["x"], y=best["error"], mode="lines", line=line, hoverinfo="skip"))
    for family, runs in costs.group_by("family", maintain_order=True):
        tint, bar = colour.family(family[0]), family[0] == "yardstick"
        figure.add_trace(
            go.Scatter(
                x=runs["x"],
                y=runs["error"],
                mode="markers",
                marker={"symbol": FAMILIES[family[0]], "size": 11, "color": tint,
                        "line": {"color": tint if bar else colour.paper, "width": 3 if bar else 1}},
                text=[_words(row, cost) for row in runs.iter_rows(named=True)],
                hovertemplate="%{text}<extra></extra>",
            )
        )  # fmt: skip
    top = 1.08 * reach
    _name_points(figure, best, (low, high), top, height, colour.ink)
    step = round_step(top)
    ticks = [step * place for place in range(int(top / step) + 1)]
    figure.update_yaxes(range=[0, top], tickvals=ticks, ticktext=[whole_dollars(tick) for tick in ticks])
    powers = [10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    write = dollars if cost == "dollars_per_1000" else lambda value: _TIMES.get(round(value, 3), duration(value))
    figure.update_xaxes(
        type="log", range=[math.log10(low), math.log10(high)], tickvals=powers, ticktext=[*map(write, powers)],
        showgrid=False,
    )  # fmt: skip
    edge = {"xref": "paper", "yref": "paper"}
    note(figure, "error", colour.quiet, x=0, y=1, xanchor="left", yanchor="bottom", yshift=4, **edge)
    note(figure, COST_NAMES[cost], colour.quiet, x=1, y=0, xanchor="right", yanchor="bottom", **edge)
    figure.update_layout(margin={"t": 26})
    return figure


def _name_points(
    figure: go.Figure, best: pl.DataFrame, shown: tuple[float, float], top: float, height: int, ink: str
) -> None:
    """Names left below the marks of the frontier, where no run can be; right above them near the left edge.

    The best come first; a name that would touch another one is left to the hover.
    """
    width, placed = math.log10(shown[1] / shown[0]), []
    for row in best.sort("error").iter_rows(named=True):
        x, y = math.log10(row["x"] / shown[0]) / width, row["error"] / top * height
        if any(abs(x - other_x) < 0.5 and abs(y - other_y) < 20 for other_x, other_y in placed):
            continue
        placed.append((x, y))
        side = {"xanchor": "left", "yanchor": "bottom", "xshift": 8, "yshift": 1}
        if x >= 0.4:
            side = {"xanchor": "right", "yanchor": "top", "xshift": -7, "yshift": -4}
        note(figure, wrapped(row["name"], LONGEST, 1), ink, x=math.log10(row["x"]), y=row["error"], **side)


def off_chart(table: pl.DataFrame, cost: str) -> str:
    """Which runs the frontier's chart leaves out, in words; empty where it shows all."""
    far = table.filter(pl.col("error") > within_reach(table["error"]))
    words = [f"; off this chart: {name}, {dollars(error)}" for name, error in far.select("name", "error").iter_rows()]
    unknown = table[cost].null_count()
    if unknown:
        words.append(f"; not drawn: {count_of(unknown, 'run')} made elsewhere, whose cost nobody measured here")
    return "".join(words)


def _words(row: dict, cost: str) -> str:
    fit, seconds, money = cost_words(row)
    return (
        f"{safe(row['name'], 40)}<br>{dollars(row['error'])} off on average<br>fit {fit}"
        f"<br>1,000 guesses: {seconds}, dollars: {money}"
    )


def frontier_finding(table: pl.DataFrame, cost: str) -> str:
    """Say how many runs nothing beats: the title of the frontier."""
    table = table.drop_nulls(cost)
    best = int(table[f"{cost}_frontier"].sum())
    if len(table) < 2:
        return "Error against cost"
    if best == 1:
        return f"{table.filter(f'{cost}_frontier')['name'][0]} is both the best and the cheapest"
    return f"{in_words(best).capitalize()} of {in_words(len(table))} runs are beaten by none in both error and cost"


def family_chart(best: pl.DataFrame, look: Look) -> go.Figure:
    """Draw the best run of each family as a bar from zero (family, name, error), best on top, its words above it."""
    colour = PALETTES[look]
    rows = best.sort("error")
    figure = new_figure(look, 16 + ROW * len(rows))
    figure.add_trace(
        go.Bar(
            x=rows["error"],
            y=list(range(len(rows))),
            orientation="h",
            width=0.3,
            marker={"color": [colour.family(family) for family in rows["family"]], "line": {"width": 0}},
            hoverinfo="skip",
        )
    )
    for place, row in enumerate(rows.iter_rows(named=True)):
        quiet = f"<span style='color:{colour.quiet}'>{wrapped(row['name'], 34, 1)}</span>"
        text = f"{row['family']}  <b>{dollars(row['error'])}</b>  {quiet}"
        note(figure, text, colour.ink, x=0, y=place, xanchor="left", yanchor="bottom", yshift=7, align="left")
    figure.update_xaxes(range=[0, 1.01 * (rows["error"].max() or 1)], showgrid=False, showticklabels=False)
    figure.update_yaxes(range=[len(rows) - 0.6, -0.8], showgrid=False, showticklabels=False)
    figure.update_layout(margin={"r": 0, "t": 6, "b": 0}, hovermode=False)
    return figure


def family_finding(placed: pl.DataFrame) -> str:
    """Say which family is first, or which are tied: from the runs of a leaderboard, best first.

    >>> board = {"family": ["words", "trees", "yardstick"], "tied_with_first": [True, True, False]}
    >>> family_finding(pl.DataFrame(board)), family_finding(pl.DataFrame(board).head(1))
    ('Words and trees are tied as the best family here', 'Words is the best family here')
    """
    *others, last = placed.filter("tied_with_first")["family"].unique(maintain_order=True)
    if not others:
        return f"{last.capitalize()} is the best family here"
    return f"{', '.join(others).capitalize()} and {last} are tied as the best family here"


def cost_words(row: dict) -> tuple[str, str, str]:
    """A run's three costs as a table shows them: none where it is free, a dash where nobody measured it."""
    money = "none" if row["dollars_per_1000"] == 0 else dollars(row["dollars_per_1000"])
    seconds = row["seconds_per_1000"]
    words = f"{seconds:,.2f} s" if seconds is not None and seconds < 60 else duration(seconds)
    return duration(row["fit_seconds"]), words, money
