import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.catalogue.groups import band_hashes, make_shingles, name_groups, set_hashes
from pricer.items import item_key

WORDS = [f"word{chr(97 + a)}{chr(97 + b)}" for a in range(26) for b in range(26)]


def groups_of(texts: list[str], keys: list[int] | None = None) -> list[int]:
    shingles = make_shingles(texts)
    numbers = np.array(keys or [item_key(f"item {place}") for place in range(len(texts))], dtype=np.uint64)
    return name_groups(numbers, set_hashes(shingles), band_hashes(shingles), shingles).tolist()


def passage(start: int, length: int = 60) -> str:
    return " ".join(WORDS[start : start + length])


def jaccard(one: str, other: str) -> float:
    sets = [{tuple(text.split()[place : place + 3]) for place in range(len(text.split()) - 2)} for text in (one, other)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def test_texts_that_share_four_fifths_of_their_shingles_are_one_group():
    text = passage(0)
    near, far = f"{passage(0, 57)} x y z", f"{passage(0, 45)} {passage(400, 15)}"
    assert jaccard(text, near) >= 0.8 > jaccard(text, far)
    named = groups_of([text, near, far, passage(200)])
    assert named[0] == named[1] and len(set(named)) == 3


def test_a_group_is_named_by_its_smallest_key():
    assert groups_of([passage(0), passage(100), passage(0)], [30, 20, 10]) == [10, 20, 10]


def test_case_and_punctuation_do_not_tell_texts_apart():
    named = groups_of(["A Red Lamp, made of steel!", "a red lamp made of steel"])
    assert named[0] == named[1]


def test_texts_without_words_stand_alone():
    assert groups_of(["", "!!!", ""], [3, 2, 1]) == [3, 2, 1]


def test_chains_that_grow_too_large_are_cut():
    """Each text is near the next, the first and the last are unlike: such a chain may join 50 items, not 120."""
    chain = [passage(place) for place in range(120)]
    assert jaccard(chain[0], chain[1]) >= 0.9 > jaccard(chain[0], chain[4])
    assert len(set(groups_of(chain[:50]))) == 1
    assert len(set(groups_of(chain))) == 120


def test_many_equal_texts_stay_one_group_however_many():
    assert len(set(groups_of([passage(0)] * 300))) == 1


@given(st.permutations(range(12)))
def test_the_order_of_the_items_changes_no_group(order):
    texts = [passage(start) for start in (0, 1, 2, 100, 101, 200, 300, 0, 100, 420, 421, 500)]
    keys = [item_key(f"item {place}") for place in range(len(texts))]
    straight = groups_of(texts, keys)
    assert groups_of([texts[place] for place in order], [keys[place] for place in order]) == [
        straight[p] for p in order
    ]


@pytest.mark.parametrize("texts", [[], ["one"], ["one two"]])
def test_few_and_short_texts_have_groups_too(texts):
    assert len(groups_of(texts)) == len(texts)


def test_nearly_all_pairs_above_the_threshold_are_found():
    """At a similarity of 0.8 a pair is missed twice in a thousand; 300 pairs just above it may miss three."""
    random = np.random.default_rng(1)
    texts = []
    for _ in range(300):
        words = [f"w{number}" for number in random.integers(0, 10**9, 80)]
        texts += [" ".join(words), " ".join([*words[:-8], *(f"v{number}" for number in random.integers(0, 10**9, 8))])]
    named = groups_of(texts)
    found = sum(named[place] == named[place + 1] for place in range(0, len(texts), 2))
    assert 0.8 <= jaccard(texts[0], texts[1]) < 0.85 and found >= 297
