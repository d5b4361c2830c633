"""The demo: the same rows for the same seed, prices that follow from words, and every kind of dirt."""

import gzip
import itertools
import math
import os
import re
import statistics
import subprocess
import sys
import tracemalloc
from collections import Counter
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.catalogue.demo import demo_rows, write_demo
from pricer.catalogue.demo.kinds import CATEGORIES, MATERIALS
from pricer.catalogue.demo.products import ANCHORS, Dice, draw_product, log_price, shop_price
from pricer.catalogue.demo.rows import demo_row, parent_asin, price_as_written
from pricer.catalogue.scrub import RULES, Rejected, full_text, judge, parse_price, read_product
from pricer.catalogue.tokens import llama3
from pricer.errors import PricerError

FIELDS = [
    "parent_asin", "price", "main_category", "title", "average_rating", "rating_number", "features", "description",
    "images", "videos", "store", "categories", "details", "bought_together", "generated",
]  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return list(demo_rows(5_000, 42))


@pytest.fixture(scope="module")
def prices() -> list[float]:
    """What the shop asks for 20,000 products, before any dirt."""
    dice = Dice("prices")
    return [shop_price(math.exp(log_price(draw_product(dice))), dice) for _ in range(20_000)]


def price_of(row: dict) -> float | None:
    try:
        return parse_price(row["price"])
    except Rejected:
        return None


def text_of(row: dict) -> str:
    return "\n".join([row["title"], *row["description"], *row["features"]])


# The same rows


def test_a_longer_demo_begins_with_the_shorter_one():
    assert list(itertools.islice(demo_rows(1_000_000, 7), 300)) == list(demo_rows(300, 7))


def test_another_seed_gives_other_rows():
    assert list(demo_rows(50, 1)) != list(demo_rows(50, 2))


def test_rows_do_not_depend_on_pythons_hash_seed():
    script = "import orjson; from pricer.catalogue.demo import demo_rows; print(orjson.dumps(list(demo_rows(200, 42))))"
    command = [sys.executable, "-c", script]
    outputs = {subprocess.check_output(command, env=os.environ | {"PYTHONHASHSEED": seed}) for seed in "12"}
    assert len(outputs) == 1


def test_a_row_far_out_costs_no_more_than_the_first():
    row = demo_row(2_000_000_000, 42)
    assert row["generated"] is True and row["title"]


def test_rows_are_made_one_at_a_time_and_not_kept():
    rows = demo_rows(2_000, 42)
    next(rows)
    tracemalloc.start()
    for _row in rows:
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000  # bytes; the rows together take five times that


@pytest.mark.parametrize("count", [0, -1, 2.5, True, None, 36**6 + 1])
def test_a_count_that_is_no_count_is_refused_at_once(count):
    with pytest.raises(PricerError, match="number of rows"):
        demo_rows(count, 42)


# The form of rows


def test_every_row_has_the_fields_of_raw_meta_and_says_that_it_is_generated(rows):
    assert all(list(row) == FIELDS and row["generated"] is True for row in rows)


def test_no_braces_or_doubled_words_are_left_in_a_text(rows):
    clean = [row for row in rows if "<" not in text_of(row)]
    assert not [text for text in map(text_of, clean) if re.search(r"[{}]|\b(\w+) \1\b", text)]


def test_categories_have_the_shares_of_the_seed_system(rows):
    counts = Counter(row["main_category"] for row in rows)
    assert set(counts) == {category.name for category in CATEGORIES}
    for category in CATEGORIES:
        assert counts[category.name] / len(rows) == pytest.approx(category.share / 100, abs=0.02)


def test_most_rows_with_a_price_become_items_under_the_notebooks_rules(rows):
    outcomes = Counter(judge(row, RULES["notebook-1"], llama3()).outcome for row in rows[:2_000])
    assert outcomes["item"] > 0.7 * (2_000 - outcomes["no-price"])
    assert 0.35 < outcomes["item"] / 2_000 < 0.48


def test_most_descriptions_are_long(rows):
    lengths = [sum(map(len, row["description"])) for row in rows]
    assert statistics.mean(600 <= length <= 2_500 for length in lengths) > 0.6


# The price law


def test_every_word_of_the_shop_has_a_price_and_every_kind_a_choice():
    for kind in (kind for category in CATEGORIES for kind in category.kinds):
        assert kind.price > 0 and kind.pounds > 0 and kind.extras and set(kind.materials) <= set(MATERIALS)
    assert sum(len(category.kinds) for category in CATEGORIES) > 150
    assert min(len(category.kinds) for category in CATEGORIES) >= 12


def test_a_premium_brand_is_worth_more_where_names_count():
    product = replace(draw_product(Dice("a product")), grade="", noise=0.0)
    markup = log_price(replace(product, premium=0.7)) - log_price(replace(product, premium=0.0))
    assert markup == pytest.approx(0.7 * product.kind.brand)


def test_a_premium_brand_and_a_high_grade_are_worth_more_together_than_apart():
    product = replace(draw_product(Dice("a product")), premium=0.0, grade="", noise=0.0)
    high = max(product.category.grades, key=product.category.grades.get)
    plain, graded, named, both = (
        log_price(replace(product, premium=premium, grade=grade))
        for premium, grade in [(0, ""), (0, high), (0.7, ""), (0.7, high)]
    )
    assert both - plain > (graded - plain) + (named - plain) + 0.2


@given(st.integers(0, 10_000), st.integers(2, 50))
def test_a_larger_pack_costs_more_but_less_for_each(number, pack):
    product = replace(draw_product(Dice(f"product {number}")), pack=1)
    ratio = math.exp(log_price(replace(product, pack=pack)) - log_price(product))
    assert 1 < ratio < pack


def test_renewed_costs_less_than_new_and_used_less_than_renewed():
    product = draw_product(Dice("a product"))
    new, renewed, used = (log_price(replace(product, condition=word)) for word in ("new", "renewed", "used"))
    assert new > renewed > used


def test_a_dear_brand_is_dearer_in_the_rows_too(rows):
    def typical(names: set[str]) -> float:
        return statistics.median(price for row in rows if row["store"] in names and (price := price_of(row)))

    brands = {name: premium for category in CATEGORIES for name, premium in category.brands.items()}
    dear, cheap = ({name for name in brands if test(brands[name])} for test in (lambda p: p > 0.4, lambda p: p < -0.3))
    assert typical(dear) > 1.5 * typical(cheap)


def test_prices_have_a_long_tail(prices):
    within = [price for price in prices if price <= 999.49]
    assert statistics.median(within) == pytest.approx(28, abs=4)
    assert statistics.mean(within) == pytest.approx(60, abs=9)
    assert 0.001 < 1 - len(within) / len(prices) < 0.02 and max(prices) > 2_000


def test_the_slots_that_shops_are_drawn_to_stand_out(prices):
    counts = Counter(map(round, prices))
    for anchor in ANCHORS:
        neighbours = [counts[slot] for slot in range(anchor - 6, anchor + 7) if abs(slot - anchor) > 1]
        assert counts[anchor] > 3 * statistics.median(neighbours) + 2


def test_most_prices_end_in_99_or_95(prices):
    endings = Counter(f"{price:.2f}"[-2:] for price in prices)
    assert (endings["99"] + endings["95"]) / len(prices) > 0.5


@given(st.floats(0.3, 20_000), st.integers())
def test_a_shop_price_is_close_to_its_amount(amount, number):
    assert 0.6 * amount - 1 < shop_price(amount, Dice(str(number))) < 1.3 * amount + 3


# The dirt


def test_prices_are_missing_textual_odd_and_written_in_two_ways(rows):
    written = [row["price"] for row in rows]
    assert {None, "None", ""} <= {price for price in written if not price or price == "None"}
    texts = [price for price in written if isinstance(price, str)]
    for pattern in (r"from [\d.]+", r"\$[\d.]+ - \$[\d.]+", r"[\d.]+"):
        assert any(re.fullmatch(pattern, text) for text in texts), pattern
    assert any(isinstance(price, float) and price < 0 for price in written)
    missing = statistics.mean(price in (None, "None", "") for price in written)
    assert missing == pytest.approx(0.44, abs=0.03)


def test_one_price_in_two_hundred_is_wrong_by_a_decimal_point():
    dice = Dice("prices as written")
    written = [price_as_written(20.0, dice) for _ in range(40_000)]
    plausible = [float(str(price).replace(",", "")) for price in written if re.fullmatch(r"[1-9][\d,.]*", str(price))]
    wrong = [price for price in plausible if price != 20]
    assert set(wrong) == {2.0, 200.0, 2_000.0}
    assert len(wrong) / len(plausible) == pytest.approx(1 / 200, rel=0.3)


@pytest.mark.parametrize(
    "pattern",
    [
        r"<br />", r"<li>", r"&amp;", r"&nbsp;", r"【.+】", r"\u00a0", r"\t", "  ",
        r"\b[A-Z]{2}\d{4,5}-[A-Z]\b", "ß", "¡", "[ぁ-ん]", "[؀-ۿ]", "[가-힣]",
    ],
)  # fmt: skip
def test_markup_part_numbers_white_space_and_other_scripts_are_there(rows, pattern):
    assert sum(bool(re.search(pattern, text_of(row))) for row in rows) >= 5


def test_details_are_objects_and_now_and_then_json_text_or_nothing(rows):
    forms = Counter(type(row["details"]).__name__ if row["details"] else "nothing" for row in rows)
    assert forms["dict"] > 0.8 * len(rows) and forms["str"] > 100 and forms["nothing"] > 100
    names = {name for row in rows if isinstance(row["details"], dict) for name in row["details"]}
    assert {
        "Brand",
        "Item Weight",
        "Best Sellers Rank",
        "Batteries Included?",
        "Is Discontinued By Manufacturer",
    } <= names


def test_some_texts_are_short_and_some_descriptions_missing(rows):
    assert sum(len(text_of(row)) < 200 for row in rows) > 100
    assert sum(not row["description"] for row in rows) > 100


def test_listings_are_repeated_under_the_same_id_and_under_others(rows):
    listings = {}
    for row in rows:
        content = orjson.dumps({field: row[field] for field in FIELDS[2:]})
        listings.setdefault(content, []).append(row["parent_asin"])
    repeated = [ids for ids in listings.values() if len(ids) > 1]
    assert sum(len(set(ids)) < len(ids) for ids in repeated) > 20
    assert sum(len(set(ids)) > 1 for ids in repeated) > 40


def test_an_id_returns_only_with_its_own_listing(rows):
    first = {}
    for row in rows:
        if row["parent_asin"]:
            assert first.setdefault(row["parent_asin"], row)["title"] == row["title"]


@given(st.integers(0, 36**6 - 1), st.integers(0, 36**6 - 1), st.integers(-5, 2**63))
def test_two_rows_never_share_an_id_by_chance(one, other, seed):
    ids = parent_asin(one, seed), parent_asin(other, seed)
    assert one == other or ids[0] != ids[1] or ids == ("", "")


def test_near_duplicates_differ_in_a_word(rows):
    def shingles(row: dict) -> set[tuple[str, ...]]:
        words = full_text(read_product(row, None)).split()
        return set(zip(words, words[1:], words[2:], strict=False))

    by_number = {}
    for row in rows:
        by_number.setdefault((row["rating_number"], row["average_rating"], row["categories"][-1]), []).append(row)
    pairs = [pair for group in by_number.values() for pair in itertools.combinations(group, 2)]
    likenesses = [len(a & b) / len(a | b) for a, b in (map(shingles, pair) for pair in pairs)]
    assert sum(0.8 <= likeness < 1 for likeness in likenesses) > 50


# The file


@pytest.mark.parametrize("name", ["demo.jsonl", "demo.jsonl.gz"])
def test_every_line_of_the_file_is_a_row(tmp_path, name):
    write_demo(tmp_path / "new" / name, 300, 42)
    content = (tmp_path / "new" / name).read_bytes()
    lines = (gzip.decompress(content) if name.endswith(".gz") else content).splitlines()
    assert [orjson.loads(line) for line in lines] == list(demo_rows(300, 42))


def test_the_same_seed_writes_the_same_bytes_under_any_name(tmp_path):
    for name in ("one.jsonl.gz", "two.jsonl.gz"):
        write_demo(tmp_path / name, 200, 42)
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "two.jsonl.gz").read_bytes()


def test_writing_reports_its_progress(tmp_path):
    steps = []
    write_demo(tmp_path / "demo.jsonl", 4_500, 42, steps.append)
    assert [(step.stage, step.count, step.unit) for step in steps][-1] == ("Writing rows", 4_500, "rows")
    assert [step.fraction for step in steps] == pytest.approx([2_000 / 4_500, 4_000 / 4_500, 1])


def test_a_demo_that_is_interrupted_leaves_the_old_file_alone(tmp_path):
    def interrupt(step):
        raise KeyboardInterrupt

    (tmp_path / "demo.jsonl").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_demo(tmp_path / "demo.jsonl", 10, 42, interrupt)
    assert [file.name for file in tmp_path.iterdir()] == ["demo.jsonl"]
    assert (tmp_path / "demo.jsonl").read_text() == "old"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PricerError, match="could not write"):
        write_demo(tmp_path / "file" / "demo.jsonl", 10, 42)
