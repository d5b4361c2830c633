"""What items are like in each band of price, before and after: medians with the middle half of the items."""

import math
from typing import Literal

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure
from pricer.figures.formats import count, whole_dollars
from pricer.figures.palette import PALETTES, Look

Scale = Literal["linear", "log"]

FEWEST = 5  # items of a band after; a median of fewer says nothing
SMALLEST = 0.001  # where a logarithmic axis starts at the latest
APART = 0.14  # how far before and after stand apart, in bands


def medians_by_band(
    table: pl.DataFrame, unit: str, look: Look, scale: Scale = "linear", height: int = 250
) -> go.Figure:
    """Draw a table of `pricer.curation.probe.by_band`: a ring and a thin line before, a disc and a thick line after.

    Points are medians, lines reach from quartile to quartile; `unit` is named on hover.
    """
    colour = PALETTES[look]
    figure = new_figure(look, height)
    table = table.with_row_index("place").with_columns(pl.col("after_known").fill_null(0))
    styles = {
        "before": (-APART, colour.before_outline, 1.5, {"color": colour.paper, "line": {"width": 2}}),
        "after": (APART, colour.after, 3, {"color": colour.after, "line": {"width": 0}}),
    }
    for name, (shift, line, width, marker) in styles.items():
        shown = table.filter(pl.col(f"{name}_known") >= (FEWEST if name == "after" else 1))
        at = shown["place"].cast(pl.Float64) + shift
        median, low, high = (shown[f"{name}_{what}"] for what in ("median", "low", "high"))
        figure.add_trace(
            go.Scatter(
                x=at,
                y=median,
                mode="markers",
                marker={"size": 9, **marker, "line": {"color": line, **marker["line"]}},
                error_y={
                    "type": "data",
                    "array": high - median,
                    "arrayminus": median - low,
                    "color": line,
                    "thickness": width,
                    "width": 0,
                },
                customdata=[
                    (
                        f"{name}, {whole_dollars(row['lowest'])} to {whole_dollars(row['highest'])}",
                        f"{row[f'{name}_median']:,.3g} {unit}",
                        count(row[f"{name}_known"]),
                    )
                    for row in shown.iter_rows(named=True)
                ],
                hovertemplate="%{customdata[0]}<br>median %{customdata[1]}<br>%{customdata[2]} items<extra></extra>",
            )
        )
    ends = {"tickvals": table["place"], "ticktext": [whole_dollars(low) for low in table["lowest"]], "tickangle": 0}
    figure.update_xaxes(range=[-0.5, max(0.5, len(table) - 0.5)], showgrid=False, **ends)
    figure.update_yaxes(**_axis(table, scale))
    return figure


def _axis(table: pl.DataFrame, scale: Scale) -> dict:
    ends = pl.concat([table[name].drop_nulls() for name in ("before_low", "before_high", "after_low", "after_high")])
    if scale == "linear":
        return {"rangemode": "tozero", "nticks": 6, "tickformat": ",d"}
    low = math.floor(math.log10(max(SMALLEST, ends.min())))
    high = math.ceil(math.log10(max(SMALLEST * 10, ends.max())))
    powers = [10.0**power for power in range(low, high + 1)]
    return {"type": "log", "range": [low, high], "tickvals": powers, "ticktext": [f"{power:,g}" for power in powers]}
