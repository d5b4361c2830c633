import hashlib

from hypothesis import given
from hypothesis import strategies as st

from pricer.items import content_hash, exam_hash, item_id, merge_hashes, slot_of

TABLE = st.lists(st.tuples(st.text(), st.floats(0.5, 999.49), st.text()))


def test_a_row_with_an_asin_is_named_by_it():
    assert item_id({"parent_asin": " B01 ", "title": "Lamp"}) == "B01"


def test_a_row_without_one_is_named_by_what_it_says_and_not_by_its_price():
    lamp = {"title": "Lamp", "description": ["bright"], "details": {"a": 1, "b": 2}, "price": 3}
    same = {"price": 99, "details": {"b": 2, "a": 1}, "description": ["bright"], "title": "Lamp", "parent_asin": ""}
    assert item_id(lamp) == item_id(same)
    assert item_id(lamp) != item_id(lamp | {"title": "Lamps"})
    assert len(item_id(lamp)) == 17 and item_id(lamp).startswith("x")


def test_composed_and_decomposed_accents_are_one_name():
    assert item_id({"title": "Café"}) == item_id({"title": "Cafe\u0301"})


def test_half_dollars_round_to_the_even_slot():
    assert [slot_of(price) for price in (0.5, 1.5, 2.5, 999.49)] == [0, 2, 2, 999]


@given(TABLE, st.randoms())
def test_the_content_hash_is_free_of_order_and_shards(rows, random):
    shuffled = random.sample(rows, len(rows))
    cut = random.randint(0, len(rows))
    assert content_hash(shuffled) == content_hash(rows)
    assert merge_hashes([content_hash(rows[:cut]), content_hash(rows[cut:])]) == content_hash(rows)


def test_the_content_hash_sees_price_text_and_repetition():
    row = ("a", 1.0, "text")
    hashes = {content_hash(rows) for rows in ([], [row], [row, row], [("a", 1.01, "text")], [("a", 1.0, "texts")])}
    assert len(hashes) == 5


def test_the_exam_hash_is_sha256_of_its_sorted_lines():
    expected = hashlib.sha256(b"a,1.50\nb,20.00\n").hexdigest()
    assert exam_hash([("b", 20.0), ("a", 1.5)]) == expected
