"""The notebooks' baselines guess as their libraries would, repeat their figures, and load nothing that is damaged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from gensim.models import Word2Vec
from gensim.utils import simple_preprocess
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.svm import LinearSVR
from xgboost import XGBRegressor

from pricer.errors import PricerError
from pricer.models import MODELS, load, make_model
from pricer.models.features import brand_frequencies, detail_frequencies
from pricer.progress import VALIDATION_ERROR, Step
from tests.products import item_saying

WORD2VEC = {
    "word2vec-linear": (LinearRegression(), {}),
    "word2vec-svr": (LinearSVR(random_state=42), {}),
    "word2vec-forest": (RandomForestRegressor(n_estimators=12, random_state=42), {"trees": 12}),
}


def saying(*texts: str, **columns: list) -> pl.DataFrame:
    return pl.concat([item_saying(text) for text in texts]).with_columns(
        **{n: pl.Series(v) for n, v in columns.items()}
    )


def test_medians_are_those_of_train_and_of_its_categories():
    items = saying("a", "b", "c", "d", price=[10.0, 20.0, 60.0, 90.0], category=["Tools", "Tools", "Toys", None])
    others = items.with_columns(category=pl.Series(["Toys", None, "", "Tools and toys"]))
    assert make_model("median").fit(items).predict(items).tolist() == [40.0] * 4
    model = make_model("category-median").fit(items)
    assert model.predict(items).tolist() == [15.0, 15.0, 60.0, 90.0]
    assert model.predict(others).tolist() == [60.0, 90.0, 90.0, 40.0]


def test_random_draws_every_whole_dollar_whatever_train_costs_and_others_from_another_seed():
    train = saying("a lamp", price=[5.0])
    items = pl.DataFrame({"title": [f"lamp {number}" for number in range(20_000)]})
    first, second = (make_model("random", seed).fit(train).predict(items) for seed in (1, 2))
    assert set(first) == set(range(1, 1000))
    assert (first != second).any()


# Features


@pytest.fixture
def described() -> pl.DataFrame:
    """Six items of known features; two state no weight of their own, one of them its parcel's, and two no rank."""
    weights = ("2 pounds", None, "48 ounces", "6 pounds", "1 pounds", None)
    brands = ("Acme", "HP", "Dell", "hp", "", "Acme")
    details = [{"Brand": brand} | ({"Item Weight": w} if w else {}) for brand, w in zip(brands, weights, strict=True)]
    details[1]["Package Weight"] = "9 pounds"
    return saying(
        "a lamp", "a lamp that is blue", "laptop", "a laptop, large", "case", "charger, in a box",
        weight_pounds=[2.0, 9.0, 3.0, 6.0, 1.0, None],
        rank=[10.0, 500.0, None, 20.0, None, 70.0],
        details=[json.dumps(each) for each in details],
        price=[20.0, 35.0, 700.0, 850.0, 10.0, 15.0],
    )  # fmt: skip


def test_features_are_the_notebooks(described):
    columns = [[2, 3, 3, 6, 1, 3], [10, 500, 150, 20, 150, 70], [6, 19, 6, 15, 4, 17], [0, 1, 1, 1, 0, 0]]
    table = np.array(columns, dtype=float).T
    line = LinearRegression().fit(table, described["price"])
    model = make_model("features").fit(described)
    np.testing.assert_allclose(model.coefficients_["dollars"], line.coef_)
    assert model.coefficients_["where none"].to_list() == pytest.approx([3, 150, *table[:, 2:].mean(axis=0)])
    np.testing.assert_allclose(model.predict(described), line.predict(table).clip(0))


def test_details_and_brands_are_counted_most_frequent_first(described):
    assert detail_frequencies(described).rows() == [("Brand", 6), ("Item Weight", 4), ("Package Weight", 1)]
    assert brand_frequencies(described).rows() == [("Acme", 2), ("Dell", 1), ("HP", 1), ("hp", 1)]


# word2vec


@pytest.mark.parametrize("name", WORD2VEC)
def test_word2vec_is_gensims_and_what_reads_it_scikit_learns(train, unseen, name):
    reader, settings = WORD2VEC[name]
    words = [simple_preprocess(text) for text in train["text"]]
    vectors = Word2Vec(words, vector_size=10, window=5, min_count=1, workers=1, seed=42).wv

    def means(texts):
        known = ([word for word in simple_preprocess(text) if word in vectors] for text in texts)
        return np.array([np.mean([vectors[word] for word in words], axis=0) for words in known])

    expected = reader.fit(means(train["text"]), train["price"]).predict(means(unseen["text"]))
    guesses = make_model(name, dimensions=10, **settings).fit(train).predict(unseen)
    np.testing.assert_allclose(guesses, expected.clip(0), rtol=1e-4)


def test_a_forest_guesses_as_scikit_learns_to_the_last_bits(train):
    from pricer.models.trees import from_sklearn

    random = np.random.default_rng(0)
    table, targets = random.normal(size=(300, 5)).astype(np.float32), random.normal(size=300)
    forest = RandomForestRegressor(n_estimators=20, random_state=0).fit(table, targets)
    on_thresholds = np.array([[*tree.tree_.threshold[:5]] for tree in forest.estimators_], dtype=np.float32)
    for rows in (table, on_thresholds, random.normal(size=(1000, 5)).astype(np.float32)):
        guesses = from_sklearn(forest.estimators_).leaf_values(rows).mean(axis=1)
        np.testing.assert_allclose(guesses, forest.predict(rows), rtol=1e-12, atol=1e-12)


# XGBoost


def test_xgboost_is_the_notebooks(train, unseen):
    counter = CountVectorizer(max_features=100, stop_words="english", dtype=np.float32)
    boosted = XGBRegressor(n_estimators=30, learning_rate=0.1, random_state=42)
    boosted.fit(counter.fit_transform(train["text"]), train["price"])
    expected = boosted.predict(counter.transform(unseen["text"]))
    guesses = make_model("xgboost", words=100, trees=30).fit(train).predict(unseen)
    np.testing.assert_allclose(guesses, expected.clip(0), rtol=1e-5)


def test_xgboost_learns_from_a_table_without_holes():
    """Its memory is damaged where the columns of such rows do not ascend, as scikit-learn counts words."""
    times = [1 + number * 7 % 3 for number in range(60)]
    texts = [f"brass floor lamp {'dimmer ' * each}" for each in times]
    items = saying(*texts, price=[10.0 * each for each in times])
    guesses = make_model("xgboost", words=100, trees=60).fit(items).predict(items)
    assert guesses == pytest.approx(items["price"].to_numpy(), abs=0.5)


@pytest.mark.parametrize("name", ["word2vec-forest", "xgboost"])
@pytest.mark.parametrize(("array", "value"), [
    ("lefts", 0), ("rights", 0), ("lefts", 10**9), ("features", 10**6), ("roots", 10**9), ("missing_left", 2),
])  # fmt: skip
def test_trees_that_lead_nowhere_are_refused(train, tmp_path, name, array, value):
    make_model(name, trees=2).fit(train[:50]).save(tmp_path)
    with np.load(tmp_path / "learned.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays[array][-1 if array == "roots" else len(arrays[array]) // 2] = value
    np.savez(tmp_path / "learned.npz", **arrays)
    with pytest.raises(PricerError, match="damaged"):
        load(tmp_path)


# Networks


@pytest.mark.parametrize(("name", "weights"), [("network", 669_249), ("deep-network", 289_128_449)])
def test_networks_have_as_many_weights_as_the_notebooks(name, weights):
    assert make_model(name)._weight_count() == weights


def test_words_summed_are_a_linear_layer_on_the_filled_table(train):
    import torch

    from pricer.models.layers import WordSum
    from pricer.models.networks import _hashed_words

    words = _hashed_words(train["text"].to_list())
    notebook = HashingVectorizer(n_features=5000, stop_words="english", binary=True)
    assert (words != notebook.transform(train["text"]).astype(np.float32)).nnz == 0
    layer = WordSum(5000, 7)
    summed = layer(*(torch.from_numpy(part) for part in (words.indices, words.indptr[:-1], words.data)))
    filled = torch.from_numpy(words.toarray()) @ layer.weight + layer.bias
    torch.testing.assert_close(summed, filled)


def test_networks_tell_the_validation_error_of_every_epoch(train):
    steps: list[Step] = []
    model = make_model("deep-network", width=16, blocks=1, epochs=3).fit(train[:200], train[200:], steps.append)
    error = np.abs(model.predict(train[200:]).clip(1, 999) - train["price"][200:].to_numpy()).mean()
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages == ["Counting words", "Fitting", f"Learned, validation error ${error:,.2f}"]
    told = [(step.fraction, step.point.figures[VALIDATION_ERROR]) for step in steps
            if step.point and VALIDATION_ERROR in step.point.figures]  # fmt: skip
    assert [fraction for fraction, _ in told] == pytest.approx([1 / 3, 2 / 3, 1])
    assert told[-1][1] == pytest.approx(error)


def test_a_fit_leaves_torch_as_it_was(train):
    import torch

    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    make_model("network", epochs=1).fit(train[:64])
    assert torch.equal(torch.random.get_rng_state(), state) and torch.get_num_threads() == threads


# All of them


def test_figures_repeat_in_another_process_whatever_its_string_hashes(train, tmp_path):
    models = {"word2vec-linear": {"dimensions": 10}, "xgboost": {"words": 50, "trees": 10}, "network": {"epochs": 1}}
    train.write_parquet(tmp_path / "train.parquet")
    code = (
        "import json, sys, numpy, polars; from pricer.models import make_model\n"
        "models, train = json.loads(sys.argv[1]), polars.read_parquet('train.parquet')\n"
        "guesses = {name: make_model(name, **stated).fit(train).predict(train) for name, stated in models.items()}\n"
        "numpy.savez('guesses.npz', **guesses)"
    )
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code, json.dumps(models)], check=True, cwd=tmp_path, env=environment)
    guesses = np.load(tmp_path / "guesses.npz")
    for name, stated in models.items():
        assert np.array_equal(make_model(name, **stated).fit(train).predict(train), guesses[name])


@pytest.mark.parametrize(("name", "settings", "stage"), [
    ("word2vec-forest", {"dimensions": 4, "trees": 25}, "Growing trees"),
    ("xgboost", {"words": 20, "trees": 30}, "Growing trees"),
    ("network", {"epochs": 3}, "Fitting"),
    ("bins", {"bins": 8, "epochs": 3}, "Fitting"),
])  # fmt: skip
def test_long_fits_say_how_far_they_are(train, name, settings, stage):
    steps: list[Step] = []
    make_model(name, **settings).fit(train, report=steps.append)
    fractions = [step.fraction for step in steps if step.stage == stage]
    assert len(fractions) >= 3 and fractions == sorted(fractions) and fractions[-1] == 1.0


@pytest.mark.parametrize("name", ["word2vec-linear", "word2vec-forest", "xgboost", "network", "deep-network"])
def test_larger_settings_are_never_estimated_to_take_less(name):
    kind = MODELS[name]
    for setting in kind.settings:
        few, many = (kind.estimate(50_000, **{setting.name: value}) for value in (setting.least, setting.most))
        assert few.seconds <= many.seconds and few.bytes <= many.bytes
        assert few != many or setting.name == "words"
