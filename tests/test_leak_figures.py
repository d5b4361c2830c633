"""Figures of leaks: bars and titles say what their tables hold."""

import polars as pl
import pytest

from pricer.figures.leaks import by_classes, leak_bars, own_exam_finding
from pricer.figures.palette import PALETTES

BY_SIZE = pl.DataFrame(
    {
        "size": [1, 2, 5, 7, 40],
        "items": [900, 60, 10, 14, 40],
        "exam": [40, 6, 1, 2, 3],
        "leaked": [0, 5, 1, 2, 3],
        "expected": [0.0, 5.5, 0.9, 1.4, 3.0],
    }
)


def test_large_groups_stand_together_and_single_items_are_left_out():
    classes = by_classes(BY_SIZE)
    assert classes.rows() == [
        ("2 items", 60, 6, 5, 5.5),
        ("5 to 9 items", 24, 3, 3, pytest.approx(2.3)),
        ("10 or more", 40, 3, 3, 3.0),
    ]


@pytest.mark.parametrize("look", PALETTES)
def test_a_bar_holds_the_leaked_of_the_exam_and_a_line_the_average(look):
    figure = leak_bars(by_classes(BY_SIZE), look)
    exam, leaked = figure.data
    assert list(exam.x) == [6, 3, 3] and list(leaked.x) == [5, 3, 3]
    assert [line.x0 for line in figure.layout.shapes] == pytest.approx([5.5, 2.3, 3.0])
    assert (
        "<b>5</b>" in figure.layout.annotations[0].text and "of 6, on average 5.5" in figure.layout.annotations[0].text
    )


def test_without_groups_there_is_nothing_to_draw():
    assert by_classes(BY_SIZE.head(1)).is_empty()


@pytest.mark.parametrize(
    ("differences", "title"),
    [
        ([("a", -1.0, False)], "No model errs less on leaked items by more than chance"),
        ([("a", 5.0, True), ("b", None, False)], "No model errs less on leaked items by more than chance"),
        ([("a", -1.0, True), ("b", -2.0, True)], "All two models err less on leaked items"),
        ([("a", -1.0, True), ("b", -2.0, True), ("c", 2.0, True)], "Two of three models err less on leaked items"),
    ],
)
def test_the_title_counts_what_is_more_than_chance(differences, title):
    assert own_exam_finding(differences) == title
