"""Every two runs: a lower triangle of differences, ties in grey with what would settle them."""

import plotly.graph_objects as go

from pricer.figures.canvas import draw_cells, label, new_figure
from pricer.figures.formats import count_of, dollars, in_words, safe, wrapped_names
from pricer.figures.palette import PALETTES, Look, mix

MOST = 10  # runs that are drawn; the table beside holds all
CELL = 46  # pixels
_HALF = 0.47  # of a cell, so that a gap stays


def matrix_chart(names: list[str], pairs: dict[tuple[int, int], dict], look: Look) -> go.Figure:
    """Draw runs, best first, by place: a cell says how many dollars more its row's run errs than its column's.

    `pairs` holds (row, column), the column before the row: difference, low, high, items, tied, items_to_settle. Names
    stand on the diagonal and serve both ways.
    """
    colour = PALETTES[look]
    count = min(len(names), MOST)
    figure = new_figure(look, 20 + CELL * count)
    tied, apart = colour.faint, mix(colour.after, colour.paper, 0.72)
    boxes, labels = [], []
    for row, name in enumerate(wrapped_names(names[:count], 22)):
        labels.append(label(f"<b>{name}</b>", colour.ink, x=row, y=row, xanchor="left", align="left", xshift=-20))
        for column in range(row):
            pair = pairs[row, column]
            ends = {"x0": column - _HALF, "x1": column + _HALF, "y0": row - _HALF, "y1": row + _HALF}
            boxes.append(ends | {"fillcolor": tied if pair["tied"] else apart})
            labels.append(label(_cell_words(pair), colour.quiet if pair["tied"] else colour.ink, x=column, y=row))
    draw_cells(figure, boxes, labels)
    hovers = [(column, row, _hover(names, row, column, pair)) for (row, column), pair in pairs.items() if row < count]
    figure.add_trace(
        go.Scatter(
            x=[column for column, _, _ in hovers],
            y=[row for _, row, _ in hovers],
            mode="markers",
            marker={"size": CELL - 8, "opacity": 0, "symbol": "square"},
            text=[words for _, _, words in hovers],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    hidden = {"showgrid": False, "showticklabels": False}
    figure.update_xaxes(range=[-0.5, count + 0.9], **hidden)
    figure.update_yaxes(range=[count - 0.5, -0.5], **hidden)
    figure.update_layout(margin={"r": 0, "t": 2})
    return figure


def _cell_words(pair: dict) -> str:
    if pair["difference"] is None:
        return "no common<br>items"
    if pair["tied"]:
        return "tie"
    half = "" if pair["high"] is None else f"<br>± {pair['high'] - pair['difference']:,.2f}"
    return f"<b>{dollars(pair['difference'])}</b>{half}"


def _hover(names: list[str], row: int, column: int, pair: dict) -> str:
    head = f"{safe(names[row], 40)}<br>against {safe(names[column], 40)}"
    if pair["difference"] is None:
        return f"{head}<br>no item that both were asked"
    words = f"{head}<br>{dollars(pair['difference'])} more on the same {count_of(pair['items'], 'item')}"
    if pair["low"] is not None:
        words += f"<br>95% interval {dollars(pair['low'])} to {dollars(pair['high'])}"
    if pair["items_to_settle"]:
        words += f"<br>about {count_of(pair['items_to_settle'], 'item')} would settle it"
    return words


def matrix_finding(ties: int, pairs: int) -> str:
    """Say how many pairs differ by more than chance: the title of the matrix.

    >>> matrix_finding(1, 3), matrix_finding(3, 3), matrix_finding(0, 3)
    ('Two of three pairs differ by more than chance', 'All three pairs are tied', 'All three pairs differ')
    """
    if ties == pairs:
        return "The pair is tied" if pairs == 1 else f"All {in_words(pairs)} pairs are tied"
    if not ties:
        return "The pair differs" if pairs == 1 else f"All {in_words(pairs)} pairs differ"
    verb = "differs" if pairs - ties == 1 else "differ"
    return f"{in_words(pairs - ties).capitalize()} of {in_words(pairs)} pairs {verb} by more than chance"
