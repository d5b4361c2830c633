import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.catalogue.scrub import (
    RULES,
    Product,
    Rejected,
    best_sellers_rank,
    clean,
    contents_of,
    explain,
    full_text,
    judge,
    make_texts,
    parse_line,
    parse_price,
    read_product,
    scrub,
    weight_pounds,
)
from pricer.catalogue.tokens import llama3
from tests.products import raw_row

NOTEBOOK, SHORT = RULES["notebook-1"], RULES["short-texts"]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


def reason_of(price) -> str:
    with pytest.raises(Rejected) as rejected:
        parse_price(price)
    return rejected.value.reason


@pytest.mark.parametrize(
    ("written", "price"),
    [(12, 12.0), (0.5, 0.5), ("24.99", 24.99), (" $1,299.00 ", 1299.0), (".99", 0.99), ("5.", 5.0)],
)
def test_prices_are_read_as_numbers_and_plain_dollar_amounts(written, price):
    assert parse_price(written) == price


@pytest.mark.parametrize("written", [None, "", " ", "None", "nan"])
def test_a_missing_price_is_no_price(written):
    assert reason_of(written) == "no-price"


@pytest.mark.parametrize(
    "written",
    ["from 14.99", "$5 - $10", "1.299,99", "€5", "1e400", "1_000", "١٢", "12..5", True, float("nan"), float("inf"),
     10**400, [], {}],
)  # fmt: skip
def test_a_price_that_needs_guessing_is_not_a_number(written):
    assert reason_of(written) == "price-not-a-number"


@given(st.floats(0.01, 99999).map(lambda price: round(price, 2)))
def test_a_price_written_in_any_plain_way_is_read_back(price):
    assert parse_price(f"{price:.2f}") == parse_price(f" ${price:,.2f} ") == price


@given(JSON_VALUES)
def test_every_value_is_a_finite_price_or_a_rejection(value):
    try:
        assert parse_price(value) == parse_price(value) != float("inf")
    except Rejected as rejected:
        assert rejected.reason in ("no-price", "price-not-a-number")


@given(st.dictionaries(st.sampled_from(sorted(raw_row())) | st.text(), JSON_VALUES))
def test_every_row_gets_a_verdict(row):
    verdict = judge(raw_row(price=5) | row, SHORT, llama3())
    assert (verdict.outcome == "item") == (verdict.texts is not None and verdict.texts.tokens_before_cut is not None)


@given(st.binary(max_size=200))
def test_every_line_is_an_object_or_corrupt(line):
    try:
        assert isinstance(parse_line(line), dict)
    except Rejected as rejected:
        assert rejected.reason == "corrupt"


def test_nan_and_half_a_surrogate_pair_cost_no_more_than_themselves():
    row = parse_line(rb'{"price": NaN, "title": "half \ud83d pair", "details": {"\udc00": ["\ud800"]}}')
    assert row["title"] == "half \ufffd\ufffd\ufffd pair" or row["title"] == "half \ufffd pair"
    json.dumps(row["details"], ensure_ascii=False).encode()


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b"7", b'"a"', b'{"a": "\xff"}', b"[" * 5000, b'{"a": 1} {"b": 2}'])
def test_a_line_that_is_no_object_is_corrupt(line):
    with pytest.raises(Rejected, match="Not a readable row"):
        parse_line(line)


def test_scrubbing_drops_clutter_and_part_numbers():
    assert scrub('【New】 "Drill": XR2-4411K [18V] , {steel},, 1234567 end') == "New Drill 18V, steel, end"


def test_the_contents_are_laid_out_as_in_the_notebook():
    row = {"title": "t", "description": ["a", "b"], "features": ["c"], "details": {"Item Weight": "1"}}
    assert contents_of(read_product(row, None)) == 'a\nb\nc\n{" Weight" "1"}\n'


def test_the_notebooks_rules_cut_at_160_tokens():
    texts = make_texts(read_product(raw_row(), None), NOTEBOOK, llama3())
    assert texts.tokens == 160 and len(llama3().encode_ordinary(texts.text)) == 160
    assert texts.tokens_before_cut > 160 and texts.characters > 300


def test_the_limits_of_the_notebook_lie_where_it_drew_them():
    def outcome(characters: int) -> str:
        contents = ("international " * 99)[: characters - 1]
        return judge({"price": 5, "title": "", "description": [contents]}, NOTEBOOK, llama3()).outcome

    assert (outcome(300), outcome(301)) == ("too-few-characters", "too-few-tokens")
    assert judge({"price": 0.49}, NOTEBOOK, llama3()).outcome == "price-too-low"
    assert judge({"price": 999.5}, NOTEBOOK, llama3()).outcome == "price-too-high"


def test_short_texts_need_forty_characters():
    assert judge({"price": 5, "title": "a" * 39}, SHORT, llama3()).outcome == "too-few-characters"
    assert judge({"price": 5, "title": "a" * 40}, SHORT, llama3()).outcome == "item"


@pytest.mark.parametrize("field", ["title", "description", "features", "store", "details"])
def test_a_field_of_the_wrong_type_is_a_rejection(field):
    wrong = [[["deep"]]] if field != "title" else {"not": "text"}
    assert judge(raw_row() | {field: wrong}, NOTEBOOK, llama3()).outcome == "wrong-type"


def test_details_may_be_json_text_or_plain_text():
    as_object = read_product({"details": {"Brand": "Oak"}}, None)
    as_text = read_product({"details": '{"Brand": "Oak"}'}, None)
    assert as_object.details == as_text.details and as_object.details_text == as_text.details_text
    assert read_product({"details": "Brand Oak"}, None).details_text == "Brand Oak"


def test_ratings_and_prices_in_the_details_reach_no_text():
    row = raw_row(details={"Brand": "Oak", "Customer Reviews": "4.5", "List Price": "$77.77"})
    product = read_product(row, None)
    texts = full_text(product) + contents_of(product) + json.dumps(product.details)
    assert "77.77" not in texts and "4.5" not in texts and "Oak" in texts


@given(st.text() | st.sampled_from(["&amp;lt;b&amp;gt;", "<b>a</b>", "a\r\nb", "e\u0301\u200b", "&#0;&#x200b;"]))
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


def test_the_full_text_is_clean_and_bounded():
    row = raw_row(title="<b>Caf&eacute;</b>", description=["word " * 2000], details={"Sizes": ["S", "M"]})
    text = full_text(read_product(row, None))
    assert text.startswith("Café\nword word") and len(text) == 4000


@pytest.mark.parametrize(
    ("written", "pounds"),
    [
        ("2 pounds", 2),
        ("8 ounces", 0.5),
        ("1,000 pounds", 1000),
        ("453.592 Grams", 1),
        ("1 Kilograms", 2.2046),
        ("50 hundredths pounds", 0.5),
        ("heavy", None),
    ],
)
def test_weights_are_read_in_pounds(written, pounds):
    weight = weight_pounds({"Item Weight": written})
    assert weight == (pounds if pounds is None else pytest.approx(pounds, rel=1e-4))


def test_the_rank_is_the_mean_of_the_ranks():
    assert best_sellers_rank({"Best Sellers Rank": {"Tables": 10, "Oak": 30}}) == 20
    assert best_sellers_rank({"Best Sellers Rank": "none"}) is None


def test_a_blank_category_is_an_ordinary_one_and_a_hub_file_has_its_own():
    assert read_product({"main_category": "  "}, None).category == "(none)"
    assert read_product({"main_category": "All Beauty"}, "Appliances").category == "Appliances"


def test_the_explanation_stops_where_the_load_did():
    checks = explain(json.dumps(raw_row(price=5000)), NOTEBOOK, llama3())
    assert [check.passed for check in checks] == [True, True, False, None, None, None]
    assert (checks[2].value, checks[2].threshold) == ("$5,000.00", "$0.50 to $999.49")
    assert all(check.passed for check in explain(json.dumps(raw_row()), NOTEBOOK, llama3()))
    assert explain("{", NOTEBOOK, llama3())[0].passed is False


def test_products_are_immutable():
    with pytest.raises(AttributeError):
        Product("i", "c", "t", [], [], {}, "", "s").title = "other"
