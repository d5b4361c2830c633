"""Similar products of train, and what is never shown."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.errors import PricerError
from pricer.llm.similar import Similar, SimilarProducts


def items(*texts: str, first: int = 0, groups: list[int] | None = None, role: str = "pool") -> pl.DataFrame:
    numbers = range(first, first + len(texts))
    return pl.DataFrame(
        {
            "item_id": [f"B{number}" for number in numbers],
            "group": pl.Series(groups or list(numbers), dtype=pl.UInt64),
            "title": [text.split()[0] for text in texts],
            "text": list(texts),
            "price": [10.0 + number for number in numbers],
            "role": [role] * len(texts),
        }
    )


TRAIN = items("brass desk lamp", "steel desk lamp", "brass door knob", "rubber boots")


def test_the_most_similar_stand_first_with_their_prices():
    (found,) = SimilarProducts.of(TRAIN).find(items("desk lamp of brass", first=9, role="exam"), 3)
    assert [each.title for each in found] == ["brass", "steel", "brass"]
    assert [each.price for each in found] == [10.0, 11.0, 12.0]
    assert 1 >= found[0].similarity > found[1].similarity > found[2].similarity > 0
    assert isinstance(found[0], Similar) and found[0].text == "brass desk lamp"


def test_what_has_no_word_in_common_is_not_similar():
    assert SimilarProducts.of(TRAIN).find(items("zzz", "boots", first=9), 3) == [
        [],
        [Similar("B3", "rubber", "rubber boots", 13.0, pytest.approx(0.707, abs=0.01))],
    ]


def test_near_duplicates_of_the_item_and_the_item_itself_are_never_shown():
    asked = items("brass desk lamp", first=9, groups=[0])
    assert "B0" not in [each.item_id for each in SimilarProducts.of(TRAIN).find(asked, 4)[0]]
    itself = TRAIN[:1].with_columns(pl.lit(77, dtype=pl.UInt64).alias("group"))
    assert "B0" not in [each.item_id for each in SimilarProducts.of(TRAIN).find(itself, 4)[0]]


@pytest.mark.parametrize("role", ["exam", "validation", "sealed"])
def test_only_train_may_be_shown(role):
    with pytest.raises(PricerError, match=f"from train only, and these are {role}"):
        SimilarProducts.of(pl.concat([TRAIN, items("lamp", first=5, role=role)]))


def test_what_was_saved_finds_the_same(tmp_path):
    SimilarProducts.of(TRAIN).save(tmp_path / "shown.parquet")
    asked = items("brass lamp", first=9)
    assert SimilarProducts.load(tmp_path / "shown.parquet").find(asked, 2) == SimilarProducts.of(TRAIN).find(asked, 2)
    (tmp_path / "shown.parquet").write_bytes(b"PAR1")
    with pytest.raises(PricerError, match="damaged"):
        SimilarProducts.load(tmp_path / "shown.parquet")


def test_a_part_of_a_large_train_is_drawn_by_a_seed():
    large = items(*(f"lamp {number}" for number in range(50)))
    first, same, other = (SimilarProducts.of(large, seed, most=10).table for seed in (1, 1, 2))
    assert len(first) == 10 and first.equals(same) and not first.equals(other)


@given(
    st.lists(st.text(max_size=20), min_size=1, max_size=6),
    st.integers(0, 4),
    st.lists(st.text(max_size=20), max_size=3),
)
def test_any_texts_give_at_most_k_each(train, k, asked):
    names = [
        {"text": text, "item_id": f"T{place}", "group": place, "title": "t", "price": 1.0}
        for place, text in enumerate(train)
    ]
    schema = {"item_id": pl.String, "group": pl.UInt64, "title": pl.String, "text": pl.String, "price": pl.Float64}
    wanted = [{"text": text, "item_id": f"A{place}", "group": 100 + place} for place, text in enumerate(asked)]
    found = SimilarProducts.of(pl.DataFrame(names, schema=schema)).find(pl.DataFrame(wanted, schema=schema), k)
    assert len(found) == len(asked)
    assert all(len(each) <= k and all(0 < one.similarity <= 1.0001 for one in each) for each in found)
