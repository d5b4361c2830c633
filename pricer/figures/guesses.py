"""What each model says about one product."""

from collections.abc import Sequence

import plotly.graph_objects as go

from pricer.figures.canvas import new_figure, note, round_step
from pricer.figures.formats import dollars, safe, whole_dollars, wrapped_names
from pricer.figures.palette import FAMILIES, PALETTES, Look, mix

ROW = 36  # pixels per model
AXIS = 34  # pixels below the bars, for the dollars


def guess_bars(
    guesses: Sequence[tuple[str, str, float | None]],
    look: Look,
    price: float | None = None,
) -> go.Figure:
    """Draw one bar per (name, family, guess in dollars), in the order given, and the true price as a dotted line.

    A guess of None is a no-answer: a word instead of a bar.
    """
    colour = PALETTES[look]
    top = 24 if price is not None else 4
    figure = new_figure(look, top + ROW * max(1, len(guesses)) + AXIS)
    for row, (name, family, guess) in enumerate(guesses):
        if guess is None:
            note(figure, "no answer", colour.quiet, x=0, y=row, xanchor="left", xshift=4)
        else:
            _draw_guess(figure, row, name, family, guess, look)
    edge = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": 62}
    for row, (_, _, guess) in enumerate(guesses):
        note(figure, f"<b>{whole_dollars(guess)}</b>", colour.ink, size=13, y=row, **edge)
    if price is not None:
        _draw_price(figure, price, len(guesses), colour.ink)
    known = [guess for _, _, guess in guesses if guess is not None]
    dearest = 1.06 * max([10.0, *known, *([price] if price is not None else [])])
    step = round_step(dearest, most=5)
    ticks = [step * place for place in range(int(dearest / step) + 1)]
    figure.update_xaxes(range=[0, dearest], tickvals=ticks, ticktext=[whole_dollars(tick) for tick in ticks])
    figure.update_yaxes(
        range=[len(guesses) - 0.5, -0.5],
        tickvals=list(range(len(guesses))),
        ticktext=wrapped_names([name for name, _, _ in guesses]),
        tickfont={"color": colour.ink, "size": 12},
        showgrid=False,
    )
    figure.update_layout(margin={"r": 66, "t": top, "b": AXIS})
    return figure


def _draw_guess(figure: go.Figure, row: int, name: str, family: str, guess: float, look: Look) -> None:
    """A soft bar that ends in the family's mark."""
    colour = PALETTES[look]
    tint = colour.family(family)
    words = f"{safe(name)}<br>{dollars(guess)}<extra></extra>"
    fill = {"color": mix(tint, colour.paper, 0.5), "line": {"width": 0}}
    bar = {"orientation": "h", "width": 0.3, "marker": fill, "hovertemplate": words}
    figure.add_trace(go.Bar(x=[max(0.0, guess)], y=[row], **bar))
    upright = family == "yardstick"
    outline = {"color": tint, "width": 3} if upright else {"color": colour.paper, "width": 1}
    marker = {"symbol": FAMILIES[family], "size": 15 if upright else 12, "color": tint, "line": outline}
    figure.add_trace(
        go.Scatter(x=[max(0.0, guess)], y=[row], mode="markers", marker=marker, hovertemplate=words, cliponaxis=False)
    )


def _draw_price(figure: go.Figure, price: float, rows: int, ink: str) -> None:
    line = {"color": ink, "width": 1.5, "dash": "dot"}
    figure.add_shape(type="line", x0=price, x1=price, y0=-0.5, y1=rows - 0.5, line=line)
    note(figure, f"price {dollars(price)}", ink, x=price, y=1, yref="paper", yanchor="bottom", xanchor="auto")
