"""The empty chart that every figure starts from, its axes' ticks, and labels beside marks."""

import math
from collections.abc import Iterable

import plotly.graph_objects as go

from pricer.figures.formats import count, short_count, whole_dollars
from pricer.figures.palette import PALETTES, Look

FONT = "Plex, sans-serif"
MOST_TICKS = 6


def template(look: Look) -> go.layout.Template:
    """The Plotly template of a look: no frame, no axis line, a dark plate on hover."""
    colour = PALETTES[look]
    axis = {
        "gridcolor": colour.grid,
        "gridwidth": 1,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "tickfont": {"size": 12, "color": colour.quiet},
        "automargin": True,
        "ticklabelstandoff": 6,
        "fixedrange": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": colour.ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 0, "r": 18, "t": 8, "b": 0},
            "showlegend": False,
            "bargap": 0.28,
            "barcornerradius": 2,
            "dragmode": False,
            "hovermode": "closest",
            "separators": ".,",
            "colorway": [colour.after, *colour.families, colour.before],
            "hoverlabel": {
                "bgcolor": colour.ink,
                "bordercolor": colour.ink,
                "font": {"family": FONT, "size": 13, "color": colour.paper},
                "align": "left",
            },
            "xaxis": axis,
            "yaxis": axis,
        }
    )


def new_figure(look: Look, height: int) -> go.Figure:
    """An empty chart of a height in pixels; its width is the page's."""
    return go.Figure(layout={"template": template(look), "height": height})


def round_step(span: float, most: int = MOST_TICKS) -> float:
    """The smallest step of 1, 2 or 5 times a power of ten that cuts a span into at most `most` - 1 parts."""
    least = span / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * 0.9999)


def within_reach(values: Iterable[float]) -> float:
    """The greatest value that an axis should show: of five or more, one over twice as far as the next is left out.

    >>> within_reach([40, 50, 60, 130, 435]), within_reach([40, 435]), within_reach([])
    (130, 435, 0.0)
    """
    ordered = sorted(values)
    if len(ordered) > 4 and ordered[-1] > 2 * ordered[-2]:
        return ordered[-2]
    return ordered[-1] if ordered else 0.0


def linear_ticks(top: float) -> dict:
    """Axis settings for counts from 0 to `top`."""
    step = max(1.0, round_step(top))
    values = [step * i for i in range(int(top / step) + 1)]
    return {"range": [0, top], "tickvals": values, "ticktext": [short_count(value) for value in values]}


def log_ticks(lowest: float, top: float) -> dict:
    """Axis settings for counts on a logarithmic scale; within two decades 2 and 5 are marked as well."""
    first, last = math.floor(math.log10(lowest)), math.ceil(math.log10(top))
    factors = (1,) if math.log10(top / lowest) > 2 else (1, 2, 5)
    values = [factor * 10**power for power in range(first, last + 1) for factor in factors]
    values = [value for value in values if lowest <= value <= top]
    values = values[:: math.ceil(len(values) / MOST_TICKS)] if values else []
    return {
        "type": "log",
        "range": [math.log10(lowest), math.log10(top)],
        "tickvals": values,
        "ticktext": [count(round(value)) for value in values],
    }


def price_ticks(low: int, high: int) -> dict:
    """Axis settings for whole dollars from `low` to `high`, both ends named where there is room for them."""
    step = max(1, round(round_step(high - low or 1)))
    inner = range(step * math.ceil(low / step), high, step)
    room = step * 0.45
    values = [low, *(value for value in inner if value - low > room and high - value > room), high]
    return {"range": [low - 0.5, high + 0.5], "tickvals": values, "ticktext": [whole_dollars(v) for v in values]}


def label(text: str, colour: str, size: int = 12, **place) -> dict:
    """A label without an arrow; `text` is already safe."""
    return {"text": text, "showarrow": False, "font": {"size": size, "color": colour}, **place}


def note(figure: go.Figure, text: str, colour: str, size: int = 12, **place) -> None:
    """Write a label; for many, `draw_cells` is quicker."""
    figure.add_annotation(label(text, colour, size, **place))


def draw_cells(figure: go.Figure, boxes: list[dict], labels: list[dict]) -> None:
    """Fill boxes behind all else and write labels, at once: Plotly copies all that stand for every one added."""
    figure.layout.shapes = [{"type": "rect", "line": {"width": 0}, "layer": "below"} | box for box in boxes]
    figure.layout.annotations = labels
