"""Figures: what is drawn is what was given, and nothing from data acts as mark-up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.figures import formats
from pricer.figures.canvas import linear_ticks, log_ticks, price_ticks
from pricer.figures.categories import category_bars, folded, share_changes
from pricer.figures.findings import share_finding
from pricer.figures.funnel import funnel
from pricer.figures.lengths import count_up_to, cut_histogram
from pricer.figures.palette import DARK, LIGHT
from pricer.figures.prices import price_histogram, shares_by_price, spikes

LONG_TAIL = np.array([0, *(round(3000 / slot**0.7) for slot in range(1, 1000))])


def texts(figure):
    return " | ".join(annotation.text for annotation in figure.layout.annotations)


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_has_a_contrast_of_4_5_and_marks_of_3(palette):
    for text in (palette.ink, palette.quiet, palette.good_text, palette.fair_text, palette.poor_text):
        assert contrast(text, palette.paper) >= 4.5
    for mark in (palette.after, palette.before_outline, palette.good, palette.fair, palette.poor):
        assert contrast(mark, palette.paper) >= 3


def test_an_empty_slot_lies_below_a_logarithmic_axis_and_one_item_above_its_floor():
    counts = np.zeros(1000, dtype=int)
    counts[7] = 1
    figure = price_histogram(counts, "light")
    floor = 10 ** figure.layout.yaxis.range[0]
    assert figure.data[0].y[6] > floor > figure.data[0].y[7]


def test_a_zoomed_histogram_holds_only_its_slots():
    figure = price_histogram(LONG_TAIL, "dark", low=100, high=199)
    assert list(figure.data[0].x) == list(range(100, 200))


def test_spikes_are_the_slots_that_stand_out():
    counts = np.full(999, 10)
    counts[[298, 398, 498]] = 80
    assert spikes(np.arange(1, 1000), counts) == [299, 399, 499]
    assert spikes(np.arange(1, 1000), np.full(999, 10)) == []


def test_roles_are_drawn_as_shares_that_each_add_up_to_one():
    parts = {"train": LONG_TAIL, "validation": LONG_TAIL // 7, "exam": LONG_TAIL // 3}
    figure = shares_by_price(parts, "light")
    assert {trace.name for trace in figure.data} == set(parts)
    assert [sum(trace.y) for trace in figure.data] == pytest.approx([1, 1, 1])


def test_category_bars_are_ordered_by_their_size_before():
    figure = category_bars(["small", "large"], np.array([3, 8]), np.array([3, 2]), "light")
    assert list(figure.data[0].x) == [8, 3] and list(figure.data[1].x) == [2, 3]


def test_the_change_of_a_share_stands_in_points_at_the_edge():
    words = texts(share_changes(["a", "b"], np.array([50, 50]), np.array([75, 25]), "light"))
    assert "+25.0" in words and "−25.0" in words


def test_the_funnel_leaves_exactly_the_items():
    figure = funnel(100, [("no price", 40), ("too short", 25), ("duplicate", 5)], 30, "light")
    still_in, lost, items = (list(trace.x) for trace in figure.data)
    assert still_in == [100, 60, 35, 30, 0] and lost == [0, 40, 25, 5, 0] and items == [0, 0, 0, 0, 30]


def test_lengths_at_or_below_the_cut_are_grey():
    bars = cut_histogram(100, [5, 6, 7, 8, 9], 3, 300, "light").data[0]
    assert list(bars.y) == [5, 6, 7, 8, 9, 3]
    assert [colour == LIGHT.after for colour in bars.marker.color] == [False, False, False, True, True, True]


@pytest.mark.parametrize("draw", [category_bars, share_changes])
def test_mark_up_in_a_name_is_escaped(draw):
    figure = draw(["<a href='x'>A</a>"], np.array([5]), np.array([5]), "light")
    written = texts(figure) + " ".join(figure.layout.yaxis.ticktext or [])
    assert "<a" not in written + str([trace.text for trace in figure.data])


@pytest.mark.parametrize("draw", [category_bars, share_changes])
def test_an_empty_sample_is_drawn(draw):
    assert draw(["a"], np.array([0]), np.array([0]), "light").data


@given(st.floats(1, 5e6))
def test_a_count_axis_has_at_most_six_ticks(top):
    assert 1 <= len(linear_ticks(top)["tickvals"]) <= 6
    assert 1 <= len(log_ticks(0.7, max(top, 1.9))["tickvals"]) <= 6


@given(st.integers(1, 998), st.integers(1, 998))
def test_a_price_axis_names_both_ends(low, width):
    high = min(999, low + width)
    axis = price_ticks(low, high)
    assert axis["ticktext"][0] == f"${low}" and axis["ticktext"][-1] == f"${high}"
    assert len(axis["tickvals"]) <= 8


def test_numbers_are_written_one_way():
    assert formats.dollars(-1234.5) == "−$1,234.50"
    assert formats.dollars(-0.001) == "$0.00"
    assert formats.percent(0.0004) == "<0.1%" and formats.percent(0.0) == "0%"
    assert formats.duration(24_720) == "6 h 52 min"
    assert formats.size(1_900_000_000) == "1.9 GB"
    assert formats.short_hash("7f3a91c2ffff") == "7f3a 91c2"


def test_a_share_that_grows_against_its_weight_is_told():
    before, after = np.array([30, 70]), np.array([40, 60])
    assert share_finding(["a", "b"], before, after, np.array([1, 5])) == "a grows although its weight is the lowest"
    assert share_finding(["a", "b"], before, after, np.array([2, 2])) == "a changes most: +10.0 points"
    assert share_finding(["a", "b"], before, before, np.array([2, 2])) == "Every category keeps its share"


def test_small_categories_are_added_up_as_others():
    names, items = folded(list("abcd"), np.array([1, 9, 5, 2]), most=3)
    assert names == ["b", "c", "2 others"] and list(items) == [9, 5, 3]


def test_a_cut_drops_the_bins_below_it():
    assert count_up_to(100, [5, 6, 7, 8], 200) == 11
