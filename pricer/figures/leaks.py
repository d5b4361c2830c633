"""What a naive split leaks, by the size of groups of near-duplicates; and what leaks are worth to runs, in words."""

import plotly.graph_objects as go
import polars as pl

from pricer.figures.canvas import new_figure, note
from pricer.figures.formats import count, count_of, dollars, in_words, percent
from pricer.figures.palette import PALETTES, Look, mix

ROW = 42  # pixels per size, whose label stands above its bar
_CLASSES = ((2, 2, "2 items"), (3, 3, "3 items"), (4, 4, "4 items"), (5, 9, "5 to 9 items"), (10, 2**62, "10 or more"))


def leak_finding(expected_share: float) -> str:
    """Say how much of the exam (0 to 1) leaks on average over all shuffles: the title of the lens.

    >>> leak_finding(0.106), leak_finding(0.0)
    ('A naive split would leak 10.6% of its exam', 'A naive split of this sample leaks nothing')
    """
    if not expected_share:
        return "A naive split of this sample leaks nothing"
    return f"A naive split would leak {percent(expected_share)} of its exam"


def by_classes(by_size: pl.DataFrame) -> pl.DataFrame:
    """The rows of groups of two or more (size, items, exam, leaked, expected), large sizes together: with label."""
    rows = []
    for low, high, label in _CLASSES:
        part = by_size.filter(pl.col("size").is_between(low, high))
        if len(part):
            rows.append({"label": label, **part.select("items", "exam", "leaked", "expected").sum().row(0, named=True)})
    return pl.DataFrame(rows)


def leak_bars(classes: pl.DataFrame, look: Look) -> go.Figure:
    """Draw one bar per row of `by_classes`: the exam's items as its track, the leaked as the filled part.

    A line across the bar marks the leaked items that are expected on average over all shuffles.
    """
    colour = PALETTES[look]
    figure = new_figure(look, max(90, 16 + ROW * len(classes)))
    rows = list(range(len(classes)))
    for column, fill in (("exam", mix(colour.before, colour.paper, 0.3)), ("leaked", colour.after)):
        figure.add_trace(
            go.Bar(
                x=classes[column].to_list(),
                y=rows,
                orientation="h",
                width=0.34,
                marker={"color": fill, "line": {"width": 0}},
                hoverinfo="skip",
            )
        )
    for row, part in enumerate(classes.iter_rows(named=True)):
        quiet = f"of {count(part['exam'])}, on average {part['expected']:,.1f}"
        text = f"{part['label']}  <b>{count(part['leaked'])}</b> <span style='color:{colour.quiet}'>{quiet}</span>"
        note(figure, text, colour.ink, x=0, y=row, xanchor="left", yanchor="bottom", yshift=8, align="left")
        at = {"x0": part["expected"], "x1": part["expected"], "y0": row - 0.19, "y1": row + 0.19}
        figure.add_shape(type="line", line={"color": colour.ink, "width": 2}, **at)
    top = max(1, *classes["exam"], *classes["expected"])
    figure.update_layout(barmode="overlay", margin={"r": 0, "t": 12}, hovermode=False)
    figure.update_xaxes(range=[0, 1.01 * top], showgrid=False, showticklabels=False)
    figure.update_yaxes(range=[len(rows) - 0.5, -0.7], showgrid=False, showticklabels=False)
    return figure


def own_exam_finding(differences: list[tuple[str, float | None, bool]]) -> str:
    """Say of how many runs the error is smaller on leaked items: the title of Compare's table of an own exam.

    Each run is its name, its error on leaked less that on clean items, and whether that is more than chance.

    >>> own_exam_finding([("ridge", -12.5, True)]), own_exam_finding([("a", -1.0, True), ("b", 3.0, False)])
    ('ridge errs $12.50 less on leaked items', 'One of two models errs less on leaked items')
    """
    less = [(name, difference) for name, difference, sure in differences if sure and difference < 0]
    if not less:
        return "No model errs less on leaked items by more than chance"
    if len(differences) == 1:
        return f"{less[0][0]} errs {dollars(-less[0][1])} less on leaked items"
    if len(less) == len(differences):
        return f"All {in_words(len(less))} models err less on leaked items"
    errs = "errs" if len(less) == 1 else "err"
    return f"{in_words(len(less)).capitalize()} of {in_words(len(differences))} models {errs} less on leaked items"


def own_exam_note(leaked: int, clean: int) -> str:
    return f"{count_of(leaked, 'leaked item')}, {count(clean)} clean; mean error with its 95% interval"
