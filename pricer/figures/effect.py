"""The effect of balance: errors with one train beside those with another, by price band or by category."""

import math

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure, note
from pricer.figures.formats import (
    NOT_MEASURED,
    category_name,
    count_of,
    dollars,
    in_words,
    safe,
    wrapped,
)
from pricer.figures.palette import PALETTES, Look, Palette

ROW = 40  # pixels a slice
MARKS = {"better": "●", "worse": "✕", "tie": ""}


def effect_chart(slices: pl.DataFrame, names: tuple[str, str], look: Look) -> go.Figure:
    """Draw a table of `pricer.evaluation.effects.slices`: a ring for the reference, a disc for the run beside it.

    `names` are the reference's and the other's; dollars are logarithmic, as errors grow with prices; the difference
    with its half-width stands at the right.
    """
    colour = PALETTES[look]
    rows = slices.to_dicts()
    figure = new_figure(look, 34 + ROW * max(1, len(rows)))
    for place, row in enumerate(rows):
        _draw_slice(figure, place, row, names, colour)
    figure.update_yaxes(
        range=[len(rows) - 0.5, -0.5],
        tickvals=list(range(len(rows))),
        ticktext=[wrapped(category_name(row["slice"]), 16, 2) for row in rows],
        tickfont={"color": colour.ink, "size": 12},
        showgrid=False,
    )
    figure.update_xaxes(side="top", **_axis(slices))
    figure.update_layout(margin={"r": 118, "t": 4, "b": 4})
    return figure


def _draw_slice(figure: go.Figure, place: int, row: dict, names: tuple[str, str], colour: Palette) -> None:
    ends = [row["error_reference"], row["error"]]
    judged = {"better": colour.good, "worse": colour.poor, "tie": colour.axis}[row["verdict"]]
    words = (
        f"{safe(category_name(row['slice']))}<br>{safe(names[0], 40)} {dollars(ends[0])}<br>"
        f"{safe(names[1], 40)} {dollars(ends[1])}<br>difference {difference_words(row)}<br>"
        f"{count_of(row['items'], 'item')}"
    )
    line = {"color": judged, "width": 3 if row["verdict"] != "tie" else 1.5}
    figure.add_trace(go.Scatter(x=ends, y=[place, place], mode="lines", line=line, hoverinfo="skip"))
    styles = (
        {"size": 12, "color": colour.paper, "line": {"color": colour.before_outline, "width": 2.5}},
        {"size": 12, "color": colour.after, "line": {"color": colour.paper, "width": 1}},
    )
    for x, style in zip(ends, styles, strict=True):
        figure.add_trace(
            go.Scatter(
                x=[x],
                y=[place],
                mode="markers",
                marker=style,
                cliponaxis=False,
                text=[words],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    tint = {"better": colour.good_text, "worse": colour.poor_text, "tie": colour.quiet}[row["verdict"]]
    edge = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": 116, "align": "right"}
    text = "tie" if row["verdict"] == "tie" else f"<b>{MARKS[row['verdict']]} {signed_dollars(row['difference'])}</b>"
    note(figure, f"{text}<br>{_half_width(row)}", tint, y=place, **edge)


def _half_width(row: dict) -> str:
    if row["high"] is None:
        return "too few items"
    half = row["high"] - row["difference"]
    return f"{dollars(row['difference'])} ± {half:,.2f}" if row["verdict"] == "tie" else f"± {half:,.2f}"


def _axis(slices: pl.DataFrame) -> dict:
    """A logarithmic axis over all errors, with ticks of 1, 2 and 5."""
    ends = [value for name in ("error_reference", "error") for value in slices[name] if value > 0] or [1.0]
    low, high = max(0.01, min(ends) * 0.85), max(ends) * 1.18
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    ticks = [tick for tick in ticks if low <= tick <= high]
    ticks = ticks[:: math.ceil(len(ticks) / 6)] if ticks else []
    return {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": ticks,
        "ticktext": [f"${tick:,g}" for tick in ticks],
    }


def effect_table(bands: pl.DataFrame, categories: pl.DataFrame) -> pl.DataFrame:
    """Both tables as one, `by` saying which."""
    tables = [
        table.select(pl.lit(by).alias("by"), pl.all())
        for by, table in (("price band", bands), ("category", categories))
    ]
    return pl.concat(tables)


def difference_words(row: dict) -> str:
    """A difference with its interval: `−$1.20 (−$2.00 to −$0.40)`."""
    if row["difference"] is None:
        return NOT_MEASURED
    if row["low"] is None:
        return dollars(row["difference"])
    return f"{signed_dollars(row['difference'])} ({signed_dollars(row['low'])} to {signed_dollars(row['high'])})"


def signed_dollars(amount: float | None) -> str:
    """A difference with its sign.

    >>> signed_dollars(1.5), signed_dollars(-2), signed_dollars(0.001)
    ('+$1.50', '−$2.00', '$0.00')
    """
    if amount is None:
        return NOT_MEASURED
    return f"+{dollars(amount)}" if round(amount, 2) > 0 else dollars(amount)


Difference = tuple[float | None, bool]  # dollars that the other errs more than the reference, and whether they are tied


def effect_finding(reference: str, other: str, natural: Difference, balanced: Difference) -> str:
    """What training on the other dataset bought and what it cost, on the natural and on the balanced exam.

    >>> effect_finding("whole", "even", (1.2, False), (-9.1, False))
    'even buys $9.10 on the balanced exam and costs $1.20 on the natural one'
    >>> effect_finding("whole", "even", (0.3, True), (-9.1, False))
    'even buys $9.10 on the balanced exam; on the natural one it is tied with whole'
    """
    sides = {"natural": natural, "balanced": balanced}
    if any(difference is None for difference, _ in sides.values()):
        return "No item that both were asked"
    bought = {exam: -difference for exam, (difference, tied) in sides.items() if not tied and difference < 0}
    cost = {exam: difference for exam, (difference, tied) in sides.items() if not tied and difference > 0}
    if not bought and not cost:
        return f"{other} and {reference} are tied, on the natural exam and on the balanced one"
    if len(bought) == 2 or len(cost) == 2:
        verb, found = ("buys", bought) if bought else ("costs", cost)
        return (
            f"{other} {verb} {dollars(found['natural'])} on the natural exam and {dollars(found['balanced'])} "
            "on the balanced one"
        )
    parts = [f"{verb} {dollars(amount)} on the {exam} exam" for verb, found in (("buys", bought), ("costs", cost))
             for exam, amount in found.items()]  # fmt: skip
    if bought and cost:
        return f"{other} {parts[0]} and {parts[1].replace(' exam', ' one')}"
    [exam] = bought or cost
    rest = "balanced" if exam == "natural" else "natural"
    return f"{other} {parts[0]}; on the {rest} one it is tied with {reference}"


def where_finding(slices: pl.DataFrame, other: str) -> str:
    """In which slices the other wins, loses and is tied.

    >>> table = pl.DataFrame({"slice": ["under $10", "$10 to $20"], "verdict": ["worse", "tie"]})
    >>> where_finding(table, "even")
    'even loses at under $10; tied in one of two'
    """
    if slices.is_empty():
        return "No item that both were asked"
    won, lost = (
        [category_name(row["slice"]) for row in slices.iter_rows(named=True) if row["verdict"] == verdict]
        for verdict in ("better", "worse")
    )
    tied = len(slices) - len(won) - len(lost)
    if tied == len(slices):
        return "Tied everywhere"
    parts = [f"{verb} at {_listed(names)}" for verb, names in (("wins", won), ("loses", lost)) if names]
    rest = f"; tied in {in_words(tied)} of {in_words(len(slices))}" if tied else ""
    return f"{other} {' and '.join(parts)}{rest}"


def _listed(names: list[str], most: int = 3) -> str:
    """Names in a sentence, the rest counted.

    >>> _listed(["a", "b"]), _listed(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and two more')
    """
    shown = names if len(names) <= most + 1 else [*names[:most], f"{in_words(len(names) - most)} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
