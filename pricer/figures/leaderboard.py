"""The leaderboard: every run's error as a point with its 95 % interval, the tied ones in a grey band."""

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure, note, round_step, within_reach
from pricer.figures.formats import NOT_MEASURED, count, count_of, dollars, in_words, safe, whole_dollars, wrapped_names
from pricer.figures.palette import FAMILIES, PALETTES, Look, Palette

ROW = 36  # pixels per run: two lines of a name


def leaderboard_chart(board: pl.DataFrame, look: Look) -> go.Figure:
    """Draw a board of `pricer.evaluation.leaderboard`, best on top: names left, dollars right, the axis on top."""
    colour = PALETTES[look]
    figure = new_figure(look, 40 + ROW * max(1, len(board)))
    runs = board.to_dicts()
    axis, reach = _dollar_axis(runs)
    _mark_ties(figure, runs, colour)
    for row, run in enumerate(runs):
        if run["error"] is not None and run["error"] <= reach:
            _draw_run(figure, row, run, colour)
        elif run["error"] is not None:
            beyond = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": -4}
            note(figure, "off this scale", colour.quiet, y=row, **beyond)
    label_font = {"color": colour.ink, "size": 12}
    figure.update_yaxes(
        range=[len(runs) - 0.5, -0.5],
        tickvals=list(range(len(runs))),
        ticktext=wrapped_names([run["name"] for run in runs]),
        tickfont=label_font,
        showgrid=False,
    )
    figure.update_xaxes(side="top", **axis)
    edge = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": 74}
    for row, run in enumerate(runs):
        note(figure, f"<b>{dollars(run['error'])}</b>", colour.ink, size=13, y=row, **edge)
    figure.update_layout(margin={"r": 78, "t": 24, "b": 4})
    return figure


def leaderboard_finding(board: pl.DataFrame) -> str:
    """Say who is first: the title of the leaderboard, in plain text."""
    placed = board.filter(pl.col("place").is_not_null())
    better = board.filter(pl.col("place").is_null() & (pl.col("difference_high") < 0))
    if len(better) and len(placed):
        best = better.row(0, named=True)
        items = count_of(best["common_items"], "item")
        return f"{_first(placed)}; {best['name']} errs less on the {items} that it was asked"
    if len(placed) < 2:
        return "Mean error of every run"
    return _first(placed)


def _first(placed: pl.DataFrame) -> str:
    tied = placed.filter("tied_with_first")
    if len(tied) == len(placed) > 1:
        return f"All {in_words(len(tied))} models are tied"
    if len(tied) > 1:
        return f"{in_words(len(tied)).capitalize()} models are tied for first"
    return f"{placed['name'][0]} is first"


def unplaced_note(board: pl.DataFrame) -> str:
    """Why runs have no place, to be set behind a note; empty where all have one."""
    reasons = board["without_place"].drop_nulls()
    if reasons.is_empty():
        return ""
    return f"; {count_of(len(reasons), 'run')} without a place: {', or '.join(reasons.unique(maintain_order=True))}"


def against_first(row: dict) -> str:
    """A board's row against the first on the items that both were asked: more dollars, a tie, or a place of its own."""
    if row["place"] == 1:
        return "first"
    if row["difference"] is None or not row["common_items"]:
        return NOT_MEASURED
    more = f"{'+' if row['difference'] >= 0 else ''}{dollars(row['difference'])}"
    if row["place"] is not None:
        return "tie" if row["tied_with_first"] else more
    low, high = row["difference_low"], row["difference_high"]
    told_apart = low is not None and high is not None and not low <= 0 <= high
    return f"{more if told_apart else 'open'} on {count(row['common_items'])}"


def _draw_run(figure: go.Figure, row: int, run: dict, colour: Palette) -> None:
    """A run's interval as a line, its error as its family's mark."""
    tint = colour.family(run["family"])
    bar = run["family"] == "yardstick"
    words = f"{safe(run['name'])}<br>{dollars(run['error'])} on average"
    if run["error_low"] is not None:
        ends = [run["error_low"], run["error_high"]]
        line = {"color": tint, "width": 2}
        figure.add_trace(go.Scatter(x=ends, y=[row, row], mode="lines", line=line, hoverinfo="skip"))
        words += f"<br>95% interval {dollars(ends[0])} to {dollars(ends[1])}"
    outline = {"color": tint, "width": 3} if bar else {"color": colour.paper, "width": 1}
    figure.add_trace(
        go.Scatter(
            x=[run["error"]],
            y=[row],
            mode="markers",
            marker={"symbol": FAMILIES[run["family"]], "size": 13 if bar else 11, "color": tint, "line": outline},
            text=[words + f"<br>{count_of(run['items'], 'item')}{_against_first(run)}"],
            hovertemplate="%{text}<extra></extra>",
        )
    )


def _against_first(run: dict) -> str:
    """The comparison with the first, where there is one."""
    if run["place"] == 1 or run["difference"] is None:
        return ""
    if run["place"] is None:
        return f"<br>without a place; against the first: {against_first(run)}"
    if run["tied_with_first"]:
        return "<br>tied with the first"
    return f"<br>{dollars(run['difference'])} more than the first on the same items"


def _mark_ties(figure: go.Figure, runs: list[dict], colour: Palette) -> None:
    """A grey band behind the runs that are tied with the first; one alone is no tie."""
    rows = [row for row, run in enumerate(runs) if run["tied_with_first"]]
    if len(rows) < 2:
        return
    for row in rows:
        band = {"fillcolor": colour.faint, "line_width": 0, "layer": "below"}
        figure.add_shape(type="rect", xref="paper", x0=0, x1=1, y0=row - 0.5, y1=row + 0.5, **band)
    # Over the second run: the first one's interval is the furthest to the left.
    place = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": -8}
    note(figure, "tied for first", colour.quiet, y=rows[0], yanchor="top", yshift=14, **place)


def _dollar_axis(runs: list[dict]) -> tuple[dict, float]:
    """An axis over all intervals that need not begin at zero, for it bears points and not bars; and its last error."""
    reach = within_reach(run["error"] for run in runs if run["error"] is not None)
    shown = [run for run in runs if run["error"] is not None and run["error"] <= reach]
    ends = [run[name] for run in shown for name in ("error", "error_low", "error_high") if run[name] is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = max(0.06 * (high - low), 0.02 * high, 0.01)
    low, high = max(0.0, low - room), high + room
    step = round_step(high - low)
    ticks = [step * place for place in range(int(low / step), int(high / step) + 1) if step * place >= low]
    write = whole_dollars if step >= 1 else dollars
    return {"range": [low, high], "tickvals": ticks, "ticktext": [write(tick) for tick in ticks]}, reach
