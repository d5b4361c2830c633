"""The figures of Compare's sections draw what their tables hold; names from data stay text."""

import numpy as np
import polars as pl
import pytest

from pages.shared.widgets import run_swatches
from pricer.evaluation.frontier import cost_table
from pricer.evaluation.slices import BAND_NAMES
from pricer.figures.coverage import coverage_chart, coverage_finding
from pricer.figures.distribution import distribution_chart
from pricer.figures.frontier import family_chart, frontier_chart, frontier_finding, off_chart
from pricer.figures.matrix import MOST, matrix_chart
from pricer.figures.palette import LIGHT
from pricer.figures.parts import heat_map, parts_chart, parts_finding

MARKUP = "<a href='x'>Lamp</a>"


def texts(figure) -> str:
    return " | ".join(annotation.text for annotation in figure.layout.annotations)


def pair(difference=None, half=None, tied=False, settle=None) -> dict:
    low, high = (None, None) if half is None else (difference - half, difference + half)
    found = {"difference": difference, "low": low, "high": high, "items": 100}
    return found | {"tied": tied, "items_to_settle": settle}


def test_the_matrix_draws_a_triangle_with_ties_in_grey():
    names = ["best", MARKUP, "other"]
    pairs = {(1, 0): pair(5.0, 2.0), (2, 0): pair(1.0, 2.0, tied=True, settle=900), (2, 1): pair()}
    figure = matrix_chart(names, pairs, "light")
    assert len(figure.layout.shapes) == 3
    fills = [shape.fillcolor for shape in figure.layout.shapes]
    assert fills[1] == LIGHT.faint != fills[0]
    assert "<b>$5.00</b><br>± 2.00" in texts(figure)
    assert "tie" in texts(figure) and "no common" in texts(figure)
    assert MARKUP not in texts(figure)
    assert "about 900 items would settle it" in " ".join(figure.data[0].text)


def test_the_matrix_draws_ten_runs_at_most():
    names = [f"run {place}" for place in range(14)]
    pairs = {(row, column): pair(1.0, 0.5) for row in range(14) for column in range(row)}
    assert len(matrix_chart(names, pairs, "dark").layout.shapes) == MOST * (MOST - 1) // 2


def parts(*errors) -> pl.DataFrame:
    rows = [
        {"part": f"part_{i}", "items": 10 + i, "error": e, "low": e / 2, "high": e * 2} for i, e in enumerate(errors)
    ]
    return pl.DataFrame(rows)


@pytest.mark.parametrize("log", [False, True])
def test_parts_of_two_runs_stand_beside_each_other(log):
    tables = {"a": parts(1.0, 20.0), "b": parts(2.0, 300.0)}
    figure = parts_chart(tables, {"a": "words", "b": "trees"}, "light", log)
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert [list(trace.x) for trace in dots] == [[1.0, 20.0], [2.0, 300.0]]
    assert all(abs(a - b) < 0.5 and a != b for a, b in zip(dots[0].y, dots[1].y, strict=True))
    assert [note.text for note in figure.layout.annotations] == ["10", "11"]
    assert figure.layout.yaxis.ticktext == ("part 0", "part 1")


def test_two_runs_that_were_asked_different_items_have_each_its_counts_and_the_parts_keep_their_order():
    whole, little = parts(1.0, 20.0, 3.0), parts(2.0).with_columns(items=pl.lit(5))
    little = pl.concat([little.with_columns(part=pl.lit("part_3")), little.with_columns(part=pl.lit("part_1"))])
    order = ["part_0", "part_1", "part_2", "part_3", "part_4"]
    figure = parts_chart({"a": whole, "b": little}, {"a": "words", "b": "words"}, "light", order=order)
    assert figure.layout.yaxis.ticktext == ("part 0", "part 1", "part 2", "part 3")
    assert [note.text for note in figure.layout.annotations] == ["10", "0", "11", "5", "12", "0", "0", "5"]
    first, second = (trace.marker for trace in figure.data if trace.mode == "markers")
    assert (first.symbol, first.color) != (second.symbol, second.color) == ("circle", LIGHT.paper)


def test_the_key_shows_two_runs_of_a_family_as_they_are_drawn():
    same, other = run_swatches({"a": "trees", "b": "trees"}), run_swatches({"a": "trees", "b": "words"})
    assert same == [("a", "family-trees triangle"), ("b", "family-trees triangle pr-hollow")]
    assert other[1] == ("b", "family-words disc")


def test_a_yardstick_beside_another_run_is_seen():
    figure = parts_chart({"a": parts(1.0), "b": parts(2.0)}, {"a": "yardstick", "b": "yardstick"}, "light")
    marks = [trace.marker for trace in figure.data if trace.mode == "markers"]
    assert [mark.symbol for mark in marks] == ["line-ns", "circle"]
    assert all(mark.line.width for mark in marks)


def test_the_title_claims_nothing_where_a_few_items_err_more_than_all_else():
    table = pl.concat([parts(0.1), parts(12.6).with_columns(part=pl.lit("Toys"), low=pl.lit(None, pl.Float64))])
    assert parts_finding("ridge", table, "category") == "Error by category"
    assert parts_finding("ridge", table.head(1), "category") == "ridge errs most on part 0"


def test_a_part_without_an_interval_is_a_dot_alone():
    table = parts(5.0).with_columns(low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64))
    figure = parts_chart({"a": table}, {"a": "words"}, "dark")
    assert [trace.mode for trace in figure.data] == ["markers"]


def test_the_heat_map_is_red_where_worse_than_the_band_and_green_where_better():
    cells = pl.DataFrame(
        {
            "category": ["Tools", "Toys", None],
            "band": [BAND_NAMES[2], BAND_NAMES[2], BAND_NAMES[4]],
            "items": [50, 40, 3],
            "error": [30.0, 5.0, 70.0],
            "ratio": [2.0, 0.5, 2.0],
        }
    )
    figure = heat_map(cells, list(BAND_NAMES), "light")
    red, green, pale = ([int(shape.fillcolor[i : i + 2], 16) for i in (1, 3, 5)] for shape in figure.layout.shapes)
    assert red[0] > red[1] and green[1] > green[0]
    assert sum(pale) > sum(red)
    assert figure.layout.yaxis.ticktext[-1] == "other categories"
    assert figure.layout.xaxis.ticktext == ("$20", "$100")
    assert "$30" in texts(figure)


def strip(*kept: bool, covered: float = 0.8) -> pl.DataFrame:
    rows = [{"level": 0.5 + 0.1 * i, "covered": covered, "low": covered - 0.1, "high": covered + 0.1, "items": 9,
             "keeps_promise": k} for i, k in enumerate(kept)]  # fmt: skip
    return pl.DataFrame(rows)


def test_the_strip_marks_promises_that_are_not_kept():
    figure = coverage_chart(strip(True, False, False, False, False), "light")
    marks = [trace.marker.symbol for trace in figure.data if trace.mode == "markers"]
    assert marks == ["circle", "diamond", "diamond", "x-thin", "x-thin"]
    assert "held 80.0% of 9 items" in figure.data[2].text[0]


@pytest.mark.parametrize(
    ("table", "finding"),
    [
        (strip(True, True, True), "The ranges hold what they promise"),
        (
            strip(True, False, True, True, False),
            "The ranges hold less than they promise at 90%, and more than they promise at 60%",
        ),
        (strip(False, False, True), "The ranges hold more than they promise at 50% and 60%"),
        (strip(False, False, False, covered=0.2), "The ranges hold less than they promise"),
        (strip(False, False, False, covered=0.95), "The ranges hold more than they promise"),
        (strip(True).with_columns(keeps_promise=None, covered=None), "No range to judge"),
    ],
)
def test_the_finding_says_which_way_ranges_fail(table, finding):
    assert coverage_finding(table) == finding


def costs(*pairs: tuple[float, float]) -> pl.DataFrame:
    facts = [
        {"run": f"r{i}", "name": f"run {i}", "family": "words", "error": error, "fit_seconds": seconds,
         "guess_seconds": 1.0, "cost_dollars": 0.0, "asked_items": 1000}
        for i, (error, seconds) in enumerate(pairs)
    ]  # fmt: skip
    return cost_table(facts)


def test_the_frontier_is_a_falling_line_and_leaves_out_what_is_far_off():
    table = costs((100.0, 0.0001), (90.0, 0.0002), (50.0, 3.0), (60.0, 5.0), (440.0, 0.00001))
    figure = frontier_chart(table, "fit_seconds", "light")
    line = next(trace for trace in figure.data if trace.mode == "lines")
    assert list(line.y) == sorted(line.y, reverse=True)
    assert 440.0 not in [y for trace in figure.data for y in trace.y]
    assert off_chart(table, "fit_seconds") == "; off this chart: run 4, $440.00"
    assert frontier_finding(costs((5.0, 1.0), (9.0, 2.0)), "fit_seconds") == "run 0 is both the best and the cheapest"


def test_families_are_bars_from_zero_best_on_top():
    best = pl.DataFrame({"family": ["trees", "words"], "name": [MARKUP, "ridge"], "error": [40.0, 30.0]})
    figure = family_chart(best, "dark")
    assert list(figure.data[0].x) == [30.0, 40.0]
    assert figure.layout.xaxis.range[0] == 0
    assert MARKUP not in texts(figure)


def test_a_distribution_shows_where_its_chances_are_and_its_range_in_petrol():
    chances = np.zeros(1000)
    chances[[20, 30, 40, 60]] = 0.1, 0.4, 0.4, 0.1
    figure = distribution_chart(chances, (19.5, 40.5), 30.0, "light")
    [bars] = figure.data
    assert list(bars.x) == list(range(20, 61))
    shown = dict(zip(bars.x, zip(bars.y, bars.marker.color, strict=True), strict=True))
    assert shown[40] == (0.4, LIGHT.after) and shown[60] == (0.1, LIGHT.before)
    assert "<b>$30</b>" in texts(figure)
    certain = np.zeros(1000)
    certain[999] = 1.0
    assert len(distribution_chart(certain, (998.5, 999.5), 999.0, "dark").data[0].x) == 11
