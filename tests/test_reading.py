"""What is read of a model's reply: one price, or a stated reason why there is none."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pricer.llm.reading import HIGHEST, LONGEST, LOWEST, read_price
from tests.replies_to_read import ANSWERS, CUT, CUT_BEHIND_THE_PRICE, NO_ANSWERS, REFUSALS

CENTS = st.integers(50, 100_000)
FORMS = {
    "dollars": "${:.2f}",
    "thousands": "${:,.2f}",
    "bare": "{:.2f}",
    "code": "USD {:.2f}",
    "behind": "{:,.2f} USD",
    "word": "{:.2f} dollars",
    "notebook": "Price is ${:.2f}",
    "bold": "**Estimated price: ${:,.2f}**",
    "hedged": "I'd say about ${:.2f}.",
    "prose": "The 12-inch RTX3080 skillet (2 lbs) costs ${:,.2f}.",
    "labelled": "price: {:.2f}",
    "json": '{{"price": {:.2f}}}',
    "fenced": '```json\n{{"price": "${:,.2f}", "pieces": 3}}\n```',
    "tagged": "<p>${:.2f}</p>",
    "thought": "<think>$12 or $15?</think>${:.2f}",
    "final": "Others cost $3.33 and $4.44. Final answer: ${:,.2f}",
    "pounds": "CA$5 is not asked: ${:.2f}",
}
JOINTS = [" to ", "-", " - ", " – ", " or ", "/", " and ", ", ", "\n", " now ", " ", " vs. ", "; ", " (", " but maybe "]
PIECES = [
    *(
        "$",
        "USD",
        "12",
        "45.00",
        "1,299.99",
        ".",
        ",",
        " ",
        "\n",
        "-",
        "to",
        "for",
        "dollars",
        "cents",
        "€",
        "price",
        "is",
    ),
    *("I cannot", "{", "}", '"price"', ":", "%", "forty", "hundred", "1e9", "<b>", "answer", "each", "٤", "\u202f"),
    *("\ud800", "http://a/", "k", "inch", "about", "+", "*", "\\"),
]


@pytest.mark.parametrize(("reply", "price"), ANSWERS)
def test_the_price_of_a_reply_is_read(reply, price):
    read = read_price(reply, high=2000)
    assert (read.price, read.status) == (price, "answer"), read.why
    assert read_price(reply[slice(*read.span)], high=2000).price == price


@pytest.mark.parametrize("reply", REFUSALS)
def test_a_refusal_is_told_apart(reply):
    read = read_price(reply)
    assert (read.price, read.status) == (None, "refusal") and read.why


@pytest.mark.parametrize("reply", NO_ANSWERS)
def test_what_says_no_single_price_is_no_answer(reply):
    read = read_price(reply)
    assert (read.price, read.status) == (None, "unparsable") and read.why


@pytest.mark.parametrize("reply", CUT)
def test_a_price_that_may_go_on_where_a_reply_was_cut_is_no_answer(reply):
    assert read_price(reply, is_cut=True).status == "unparsable"


@pytest.mark.parametrize(("reply", "price"), CUT_BEHIND_THE_PRICE)
def test_a_price_that_has_ended_before_a_reply_was_cut_is_read(reply, price):
    assert read_price(reply, is_cut=True).price == price


def test_the_table_is_long_enough():
    assert len(ANSWERS) + len(REFUSALS) + len(NO_ANSWERS) >= 150
    assert len({reply for reply, _ in ANSWERS} | {*REFUSALS, *NO_ANSWERS}) == len(ANSWERS + REFUSALS + NO_ANSWERS)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("$12 to $15", "two prices: $12.00 and $15.00"),
        ("$12 to 15", "two numbers that belong together: '$12 to 15'"),
        ("3 for $10", "two numbers that belong together: '3 for $10'"),
        ("$1.299", "'$1.299' can be read in two ways"),
        ("under $50", "'$50' is a bound or a difference, not a price"),
        ("$1,299.99", "$1,299.99 is outside $0.50 to $1,000.00"),
        ("€45", "a price in another currency than dollars"),
        ("", "it is empty"),
        ("A red lamp", "it names no price"),
        ("<html>", "it is a web page"),
        ("<think>So $45", "it ended while the model was thinking"),
        ("I can't say.", 'it says "I can\'t"'),
        ("1" * 200_000, "200,000 characters, more than anybody reads"),
    ],
)
def test_the_reason_is_told_in_words(reply, why):
    assert read_price(reply).why == why


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
@example("1e400 dollars")
@example("9" * 5_000)
@example("{" * 20_000 + "}")
@example('{"price": ' + "9" * 5_000 + "}")
def test_any_text_gives_a_price_in_range_or_none(reply):
    read = read_price(reply)
    assert (read.price is not None) == (read.status == "answer")
    assert read.price is None or LOWEST <= read.price <= HIGHEST
    if read.span is not None and read.price is not None:
        assert 0 <= read.span[0] < read.span[1] <= len(reply)


@given(CENTS, st.sampled_from(sorted(FORMS)))
def test_a_price_that_is_written_in_any_form_is_read_back(cents, form):
    reply = FORMS[form].format(cents / 100)
    read = read_price(reply)
    assert read.price == cents / 100, read.why
    assert read_price(reply[slice(*read.span)]).price == cents / 100


@given(CENTS)
def test_a_price_is_read_back_as_other_countries_write_it(cents):
    swapped = f"{cents / 100:,.2f} dollars".translate(str.maketrans(",.", ".,"))
    assert read_price(swapped).price == cents / 100


@given(st.integers(1, 999))
def test_a_price_in_words_is_read_back(dollars):
    assert read_price(f"It costs {in_words(dollars)} dollars.").price == dollars


@given(CENTS, CENTS, st.sampled_from(JOINTS), st.sampled_from(["", "either ", "It costs ", "between "]))
def test_two_prices_are_no_answer_and_never_the_first(first, second, joint, start):
    if first != second:
        for one, other in (
            ("${:.2f}", "${:.2f}"),
            ("${:.2f}", "{:.2f}"),
            ("{:.2f}", "{:.2f} dollars"),
            ("{}", "{} USD"),
        ):
            reply = f"{start}{one.format(first / 100)}{joint}{other.format(second / 100)}"
            assert read_price(reply).price is None, reply


@given(
    CENTS,
    st.integers(2, 99),
    st.sampled_from(["{n} for {p}", "{p} for {n}", "{n} x {p}", "{p} x {n}", "{n} pieces for {p}"]),
)
def test_a_price_for_several_is_no_answer(cents, several, form):
    if several != cents / 100:
        assert read_price(form.format(n=several, p=f"${cents / 100:.2f}")).price is None


@given(CENTS, st.dictionaries(st.sampled_from(["name", "brand", "confidence", "pieces"]), st.integers() | st.text()))
def test_json_with_one_price_is_read_whatever_else_it_holds(cents, others):
    assert read_price(json.dumps(others | {"price": cents / 100})).price == cents / 100


@pytest.mark.parametrize(
    "piece",
    [
        "$1 ",
        "1.",
        "1,",
        "9",
        "one ",
        "my ",
        "<",
        "<a",
        "{",
        "answer: ",
        "$",
        "-",
        " ",
        "\n1",
        "1 dollar and ",
        "http://",
        "I ",
    ],
)
def test_the_longest_reply_takes_no_longer_than_its_length(piece):
    started = time.process_time()
    read_price((piece * LONGEST)[:LONGEST])
    assert time.process_time() - started < 10  # it takes a second; what is quadratic takes minutes


SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen"""
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def in_words(n: int) -> str:
    if n < 20:
        return SMALL.split()[n]
    if n < 100:
        return TENS.split()[n // 10 - 2] + (f"-{SMALL.split()[n % 10]}" if n % 10 else "")
    return f"{SMALL.split()[n // 100]} hundred" + (f" and {in_words(n % 100)}" if n % 100 else "")
