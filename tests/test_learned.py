"""What models say that they have learned is what they go by."""

import numpy as np
import polars as pl
import pytest

from pricer.models import MODELS, TellsWhatItLearned, load, make_model
from pricer.models.boosting import Boosting
from pricer.models.measures import MEASURES, measures
from pricer.models.stack import Stack

TELLING = ("category-median", "features", "bag-of-words", "tfidf-ridge", "xgboost", "boosting")
FEW = {"xgboost": {"trees": 5}, "boosting": {"trees": 5}}


@pytest.mark.parametrize("name", TELLING)
def test_a_saved_model_tells_the_same(name, train, tmp_path):
    model = make_model(name, **FEW.get(name, {})).fit(train)
    model.save(tmp_path)
    told, again = model.learned(train), load(tmp_path).learned(train)
    assert [part.title for part in told] == [part.title for part in again]
    for part, other in zip(told, again, strict=True):
        assert part.table.equals(other.table)
        assert part.table.dtypes[0] == pl.String
        assert all(dtype.is_numeric() for dtype in part.table.dtypes[1:])
    assert len(told[0].table)


def test_models_without_words_for_it_say_nothing():
    silent = {name for name, kind in MODELS.items() if not issubclass(kind.find_class(), TellsWhatItLearned)}
    assert silent == set(MODELS) - set(TELLING)


def test_a_word_that_doubles_the_price_is_told(train):
    plain = train.with_columns(price=pl.lit(50.0), full_text=pl.lit("a lamp for the desk"))
    golden = plain.with_columns(price=pl.lit(100.0), full_text=pl.lit("a golden lamp for the desk"))
    table = pl.concat([plain, golden])
    [dearer, cheaper] = make_model("tfidf-ridge", alpha=0.001).fit(table).learned(table.sample(200, seed=1))
    assert {"golden", "a golden", "golden lamp"} <= set(dearer.table["words"])
    assert "a lamp" in cheaper.table["words"]
    assert (dearer.table["times"] > 1).all()
    assert (cheaper.table["times"] < 1).all()


def test_words_of_a_straight_line_come_with_their_dollars(train):
    model = make_model("bag-of-words", words=50).fit(train)
    [dearer, cheaper] = model.learned(train)
    dollars_of = dict(zip(model.words_, model.coefficients_, strict=True))
    assert dearer.table["dollars"][0] == max(dollars_of.values())
    assert dollars_of[cheaper.table["word"][0]] == min(dollars_of.values())


def test_every_column_of_the_trees_has_a_name(train):
    model = Boosting(trees=5).fit(train)
    columns = model.reader_.columns()
    assert len(columns) == len(set(columns)) == model.reader_.width
    assert measures(train, []).shape[1] == len(MEASURES) == len(set(MEASURES))
    [kinds, asked] = model.learned(train)
    assert kinds.table["share"].sum() == pytest.approx(1.0)
    assert asked.table["share"].is_sorted(descending=True)


def test_trees_gain_by_what_they_were_given(train):
    weights = np.where(np.arange(len(train)) % 2, 1.0, 30.0)
    heavy = train.with_columns(weight_pounds=pl.Series(weights), price=pl.Series(10 * weights))
    [kinds, asked] = Boosting(trees=20).fit(heavy).learned(heavy)
    assert kinds.table["kind"][0] == "stated numbers"
    assert asked.table["of an item"][0] == "stated numbers: weight"


def test_a_stack_tells_its_weights():
    guesses = np.array([[10.0, 90.0], [20.0, 10.0], [30.0, 50.0]])
    [weights] = Stack().weigh(["aa", "bb"], (), guesses, guesses[:, 0]).learned(pl.DataFrame())
    assert weights.table["run"].to_list() == ["aa", "bb"]
    assert weights.table["weight"].to_list() == pytest.approx([1.0, 0.0])
