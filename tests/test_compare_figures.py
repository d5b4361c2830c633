"""Figures that compare: points, bands and bars say what their tables hold, and titles from data stay text."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.evaluation.errors import point_metrics
from pricer.evaluation.leaderboard import leaderboard
from pricer.evaluation.running import running_error
from pricer.evaluation.scoring import scored
from pricer.figures.guesses import guess_bars
from pricer.figures.leaderboard import leaderboard_chart, leaderboard_finding
from pricer.figures.palette import DARK, FAMILIES, LIGHT
from pricer.figures.running import running_error_chart
from pricer.figures.scatter import scatter_chart, scatter_finding
from tests.grading import graded, graded_run

PRICES = list(np.exp(np.random.default_rng(0).normal(4, 0.9, 200)).clip(1, 990))
MARKUP = "<a href='x'>Lamp</a>"


def noisy_run(spread, name, family="words", count=200):
    guesses = PRICES * np.exp(np.random.default_rng(len(name)).normal(0, spread, 200))
    return replace(graded_run(graded(PRICES, list(guesses))[:count], name), family=family)


def texts(figure):
    return " | ".join(annotation.text for annotation in figure.layout.annotations)


def drawn_points(figure):
    return {trace.name: len(trace.x) for trace in figure.data if trace.name in ("good", "fair", "poor")}


@pytest.fixture
def board():
    return leaderboard(
        [noisy_run(0.2, "first"), noisy_run(0.2, "as good", "trees"), noisy_run(1.2, "mean", "yardstick")]
    )


def test_the_leaderboard_draws_every_error_and_its_interval_in_order(board):
    figure = leaderboard_chart(board, "light")
    points = [trace for trace in figure.data if trace.mode == "markers"]
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [(point.x[0], point.y[0]) for point in points] == list(zip(board["error"], range(3), strict=True))
    assert [tuple(line.x) for line in lines] == list(zip(board["error_low"], board["error_high"], strict=True))
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the best on top
    assert f"<b>${board['error'][0]:.2f}</b>" in texts(figure)


def test_a_grey_band_holds_the_runs_that_are_tied_for_first(board):
    figure = leaderboard_chart(board, "light")
    assert [(band.y0, band.y1) for band in figure.layout.shapes] == [(-0.5, 0.5), (0.5, 1.5)]
    assert "tied for first" in texts(figure)
    assert leaderboard_finding(board) == "Two models are tied for first"


def test_one_model_ahead_of_all_is_no_tie():
    board = leaderboard([noisy_run(0.2, "first"), noisy_run(1.2, "second")])
    assert not leaderboard_chart(board, "light").layout.shapes
    assert leaderboard_finding(board) == "first is first"


def test_a_family_has_one_colour_and_one_mark_in_every_chart(board):
    point = leaderboard_chart(board.filter(family="trees"), "dark").data[-1]
    bar = guess_bars([("forest", "trees", 30.0)], "dark").data[-1]
    assert point.marker.color == bar.marker.color == DARK.family("trees")
    assert point.marker.symbol == bar.marker.symbol == "triangle-up"


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_each_family_has_a_colour_and_a_mark_of_its_own(palette):
    assert len(palette.families) == len(set(palette.families)) == len(set(FAMILIES.values())) == len(FAMILIES)


@pytest.mark.parametrize("count", [0, 1])
def test_a_run_without_interval_or_without_items_is_drawn(count):
    board = leaderboard([noisy_run(0.5, "new", count=count)])
    figure = leaderboard_chart(board, "light")
    assert len(figure.data) == count
    assert ("–" in texts(figure)) == (count == 0)
    assert leaderboard_finding(board) == "Mean error of every run"


@given(st.lists(st.floats(0, 998), min_size=1, max_size=4), st.floats(0, 300))
def test_the_leaderboards_axis_holds_every_interval_with_at_most_six_ticks(errors, half_width):
    runs = [graded_run(graded([1.0], [1 + error]), f"run {place}") for place, error in enumerate(errors)]
    board = leaderboard(runs).with_columns(
        error_low=(pl.col("error") - half_width).clip(0), error_high=pl.col("error") + half_width
    )
    axis = leaderboard_chart(board, "light").layout.xaxis
    assert axis.range[0] <= board["error_low"].min() and board["error_high"].max() <= axis.range[1]
    assert 1 <= len(axis.tickvals) <= 6


def test_a_run_that_is_far_off_is_named_and_does_not_squeeze_the_rest():
    runs = [graded_run(graded([10.0], [10.0 + error]), f"run {error}") for error in (1, 2, 3, 4, 400)]
    figure = leaderboard_chart(leaderboard(runs), "light")
    assert figure.layout.xaxis.range[1] < 10
    assert "off this scale" in texts(figure)
    assert "<b>$400.00</b>" in texts(figure)


def test_the_scatter_draws_answers_by_colour_and_poor_ones_over_the_rest():
    table = scored(graded([100.0] * 5, [100.0, 150.0, 900.0, None, 4999.99]), 50.0)
    figure = scatter_chart(table, "light")
    assert drawn_points(figure) == {"good": 1, "fair": 1, "poor": 2}
    assert [trace.name for trace in figure.data if trace.name] == ["good", "fair", "poor"]
    symbols = [trace.marker.symbol for trace in figure.data if trace.mode == "markers"]
    assert symbols == ["circle", "diamond", "x-thin"]


def test_the_scatter_hovers_with_title_guess_and_price_as_text():
    table = scored(graded([100.0], [4999.99], title=[MARKUP]), 50.0)
    words = scatter_chart(table, "light").data[3].text[0]
    assert words.startswith("&lt;a href")
    assert "guess $4,999.99, poor; counted as $999" in words and "price $100.00" in words


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_both_axes_of_the_scatter_agree_and_hold_every_point(scale):
    table = scored(noisy_run(1.0, "wild").table, 50.0)
    layout = scatter_chart(table, "light", scale).layout
    low, high = layout.xaxis.range if scale == "linear" else 10 ** np.array(layout.xaxis.range)
    values = [*table["price"], *table["scored_guess"]]
    assert layout.xaxis.range == layout.yaxis.range and layout.xaxis.type == layout.yaxis.type
    assert low <= min(values) and max(values) <= high


@given(st.floats(1, 999), st.floats(1, 999))
def test_the_tinted_area_is_where_guesses_are_good(price, guess):
    table = scored(graded([price, 1.0, 999.0], [guess, 1.0, 999.0]), 50.0)
    area = scatter_chart(table, "light", "linear").data[0]
    half = len(area.x) // 2
    upper = np.interp(price, area.x[:half], area.y[:half])
    lower = np.interp(price, area.x[half:][::-1], area.y[half:][::-1])
    good = table["colour"][0] == "good"
    edge = min(abs(guess - upper), abs(guess - lower)) < 1  # the outline has 200 corners
    assert edge or good == (lower <= guess <= upper)


def test_over_5000_answers_a_sample_is_drawn_and_said():
    table = scored(graded([10.0] * 5_001, [12.0] * 5_001), 50.0)
    figure = scatter_chart(table, "light")
    assert drawn_points(figure)["good"] == 5_000
    assert "5,000 of 5,001 guesses, drawn at random" in texts(figure)
    assert "random" not in texts(scatter_chart(table[:5_000], "light"))


@pytest.mark.parametrize(
    ("guesses", "finding"),
    [
        ([100.0] * 3 + [900.0], "75 guesses in a hundred are good"),
        ([100.0] * 2 + [900.0] * 198, "One guess in a hundred is good"),
        ([100.0] + [900.0] * 999, "Hardly a guess is good"),
        ([], "Guess and price"),
    ],
)
def test_the_scatters_title_counts_the_good_guesses(guesses, finding):
    assert scatter_finding(point_metrics(scored(graded([100.0] * len(guesses), guesses), 50.0)).hits) == finding


def test_a_scatter_of_nothing_is_drawn():
    assert drawn_points(scatter_chart(scored(graded([], []), 50.0), "light")) == {"good": 0, "fair": 0, "poor": 0}


def test_the_running_error_ends_in_its_value_and_half_width():
    figure = running_error_chart({"ridge": running_error(np.array([10.0, 30.0, 20.0]))}, "light")
    assert "<b>$20.00</b> ± 11.32" in texts(figure)
    assert list(figure.data[-1].y) == [10, 20, 20] and figure.data[-1].line.color == LIGHT.after


def test_two_runs_of_a_family_differ_in_their_dashes_and_are_named():
    table = running_error(np.arange(50.0))
    figure = running_error_chart({"a": table, "b": table}, "light", {"a": "words", "b": "words"})
    assert [trace.line.dash for trace in figure.data[2:]] == ["solid", "dash"]
    assert "a<br>" in texts(figure) and "b<br>" in texts(figure)
    heights = [annotation.y for annotation in figure.layout.annotations]
    assert heights[1] > heights[0]  # equal ends, labels apart


def test_a_long_running_error_is_thinned_and_keeps_its_end():
    table = running_error(np.random.default_rng(0).lognormal(3, 0.5, 10_000))
    line = running_error_chart({"ridge": table}, "light").data[-1]
    assert len(line.x) <= 1_000 and line.x[-1] == 10_000 and line.y[-1] == table["mean"][-1]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_first_guesses_already_give_a_running_error(count):
    table = running_error(np.array([5.0, 7.0])[:count])
    assert len(running_error_chart({"ridge": table}, "light").data) == (2 if count else 0)


def test_bars_are_as_long_as_the_guesses_and_a_no_answer_is_a_word():
    figure = guess_bars([("ridge", "words", 249.4), ("model", "hosted", None)], "light", price=300.0)
    assert [trace.x[0] for trace in figure.data if trace.type == "bar"] == [249.4]
    assert "<b>$249</b>" in texts(figure) and "no answer" in texts(figure)


def test_the_true_price_is_drawn_only_where_it_is_given():
    guesses = [("ridge", "words", 249.0)]
    hidden, shown = guess_bars(guesses, "light"), guess_bars(guesses, "light", price=1234.5)
    assert not hidden.layout.shapes and "price" not in texts(hidden)
    assert shown.layout.shapes[0].x0 == 1234.5 and "price $1,234.50" in texts(shown)
    assert shown.layout.xaxis.range[1] > 1234.5


def test_no_models_are_an_empty_chart():
    assert not guess_bars([], "light").data


def test_a_single_bar_leaves_room_for_the_dollars_below_it():
    layout = guess_bars([("ridge", "words", 95.0)], "light").layout
    assert layout.margin.b >= 30 and layout.height - layout.margin.t - layout.margin.b >= 36


def test_a_name_with_mark_up_stays_text_in_every_chart():
    run = noisy_run(0.5, MARKUP)
    figures = [
        leaderboard_chart(leaderboard([run, noisy_run(0.6, "b")]), "light"),
        running_error_chart({MARKUP: running_error(np.arange(9.0)), "b": running_error(np.arange(9.0))}, "light"),
        guess_bars([(MARKUP, "words", 3.0)], "light"),
    ]
    for figure in figures:
        hovers = [trace.hovertemplate or "" for trace in figure.data] + [str(trace.text) for trace in figure.data]
        labels = list(figure.layout.yaxis.ticktext or [])
        assert "<a" not in texts(figure) + " ".join(hovers + labels)
