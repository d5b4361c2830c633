"""Every model of `MODELS` keeps the contract; what single families promise beyond it stands below."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression

from pricer.errors import PricerError
from pricer.models import MODELS, GivesDistribution, Model, Setting, load, make_model, without_price
from pricer.models.contract import PRICE_COLUMNS
from pricer.progress import Step
from pricer.settings import runs_folder
from tests.products import FEW, item_saying

# Settings with which a model that is large by default learns in a moment what these tests ask of it.
SMALL: dict[str, dict[str, int | float]] = {
    "word2vec-linear": {"dimensions": 10},
    "word2vec-svr": {"dimensions": 10},
    "word2vec-forest": {"dimensions": 10, "trees": 12},
    "xgboost": {"words": 100, "trees": 12},
    "boosting": {"trees": 12},
    "bins": {"width": 4, "epochs": 1},
    "network": {"epochs": 1},
    "deep-network": {"width": 16, "blocks": 1, "epochs": 1},
}
# What one item does not teach the price: a decay that outweighs it, or two steps of a network from random weights.
SLOW_LEARNERS = ("word2vec-svr", "network")
OTHER_TEXTS = {
    "empty": "",
    "blanks": " \n\t ",
    "Arabic": "مصباح مكتب قابل للتعديل",
    "Japanese": "調節可能なデスクランプ、白",
    "emoji": "💡🪑",
    "one word, often": "lamp " * 5000,
    "no words": "— … ! 100%",
}


def small(name: str, seed: int = 42) -> Model:
    return make_model(name, seed, **SMALL.get(name, {}))


@pytest.fixture(scope="session")
def fit(train: pl.DataFrame) -> Callable[[str], Model]:
    """Fits a model of MODELS on generated items, once."""
    return cache(lambda name: small(name).fit(train, train[:0]))


@pytest.fixture(scope="session", params=MODELS)
def fitted(request: pytest.FixtureRequest, fit: Callable[[str], Model]) -> Model:
    """Each model of MODELS, fitted on generated items."""
    return fit(request.param)


def test_guesses_are_finite_dollars_and_never_negative(fitted, unseen):
    guesses = fitted.predict(unseen)
    assert guesses.dtype == np.float64
    assert guesses.shape == (len(unseen),)
    assert np.isfinite(guesses).all() and (guesses >= 0).all()


def test_guesses_come_in_the_order_of_the_items(fitted, unseen):
    shuffled = np.random.default_rng(0).permutation(len(unseen))
    assert np.array_equal(fitted.predict(unseen[shuffled]), fitted.predict(unseen)[shuffled])


def test_an_item_is_guessed_alone_as_among_others(fitted, unseen):
    assert fitted.predict(unseen[7:8]) == fitted.predict(unseen)[7]


def test_no_item_gives_no_guess(fitted, unseen):
    assert fitted.predict(unseen[:0]).shape == (0,)


def test_the_same_seed_gives_the_same_guesses(fitted, train, unseen):
    again = small(fitted.name, fitted.seed).fit(train)
    assert np.array_equal(again.predict(unseen), fitted.predict(unseen))


@pytest.mark.parametrize("planted", [0.01, 4999.99, None])
def test_a_planted_price_changes_no_guess(fitted, unseen, planted):
    canary = [pl.lit(planted, pl.Float64).alias(name) for name in PRICE_COLUMNS]
    assert np.array_equal(fitted.predict(unseen.with_columns(canary)), fitted.predict(unseen))


@pytest.mark.parametrize("text", OTHER_TEXTS.values(), ids=OTHER_TEXTS)
def test_any_text_gets_a_guess(fitted, text):
    [guess] = fitted.predict(item_saying(text))
    assert np.isfinite(guess) and guess >= 0


@given(text=st.text())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_gets_a_guess(fitted, text):
    [guess] = fitted.predict(item_saying(text))
    assert np.isfinite(guess) and guess >= 0


def test_a_missing_text_is_an_empty_one(fitted):
    nothing = item_saying("").with_columns(text=pl.lit(None, pl.String), full_text=pl.lit(None, pl.String))
    assert fitted.predict(nothing) == fitted.predict(item_saying(""))


@pytest.mark.parametrize("name", [name for name in MODELS if name not in (*SLOW_LEARNERS, "random")])
@pytest.mark.parametrize("text", ["brass floor lamp with a dimmer", "", "the and of", "電気スタンド"])
def test_one_item_is_enough_to_learn_its_price(name, text):
    one = item_saying(text).with_columns(price=pl.lit(24.0))
    assert small(name).fit(one).predict(one) == pytest.approx(24.0, rel=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_no_item_at_all_cannot_be_learned_from(name, train):
    with pytest.raises(PricerError, match="train has no items"):
        make_model(name).fit(train[:0])


def test_what_goes_with_a_price_is_not_learned_from(fitted, train, unseen):
    canary = train.with_columns(price_spread=pl.lit(4999.99), slot=pl.lit(0, pl.Int16))
    assert np.array_equal(small(fitted.name).fit(canary).predict(unseen), fitted.predict(unseen))


@pytest.mark.parametrize("name", MODELS)
def test_constructors_store_their_arguments_and_nothing_else(name):
    model = make_model(name, seed=7)
    assert vars(model) == {"seed": 7} | {setting.name: setting.default for setting in MODELS[name].settings}


def test_what_is_learned_ends_in_an_underscore(fitted):
    arguments = {"seed"} | {setting.name for setting in MODELS[fitted.name].settings}
    learned = vars(fitted).keys() - arguments
    assert learned and all(name.endswith("_") for name in learned)


def test_a_distribution_is_over_slots_and_its_median_is_the_guess(fitted, unseen):
    if not isinstance(fitted, GivesDistribution):
        return
    chances = fitted.predict_distribution(unseen)
    assert chances.shape == (len(unseen), 1000) and chances.dtype == np.float64
    assert (chances >= 0).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    median = (np.cumsum(chances, axis=1) < 0.5).sum(axis=1)
    assert (np.abs(fitted.predict(unseen) - median) <= 0.5 + 1e-9).all()


# Saving and loading


def test_a_loaded_model_guesses_the_same(fitted, unseen, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert type(loaded) is type(fitted)
    assert np.array_equal(loaded.predict(unseen), fitted.predict(unseen))


def test_a_fresh_process_guesses_the_same(fit, unseen, tmp_path):
    for name in MODELS:
        fit(name).save(tmp_path / name)
    unseen.write_parquet(tmp_path / "items.parquet")
    code = (
        "import sys, numpy, polars; from pathlib import Path; from pricer.models import load\n"
        "folder = Path(sys.argv[1])\n"
        "items = polars.read_parquet(folder / 'items.parquet')\n"
        "guesses = {place.parent.name: load(place.parent).predict(items) for place in folder.glob('*/model.json')}\n"
        "numpy.savez(folder / 'guesses.npz', **guesses)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=Path(__file__).parents[1])
    guesses = np.load(tmp_path / "guesses.npz")
    assert [name for name in MODELS if not np.array_equal(guesses[name], fit(name).predict(unseen))] == []


def test_a_loaded_model_can_be_saved_again(fitted, unseen, tmp_path):
    fitted.save(tmp_path / "first")
    load(tmp_path / "first").save(tmp_path / "second")
    assert np.array_equal(load(tmp_path / "second").predict(unseen), fitted.predict(unseen))


def test_a_model_is_loaded_by_its_run(fitted, unseen):
    fitted.save(runs_folder() / "0123abcd" / "model")
    assert np.array_equal(load("0123abcd").predict(unseen), fitted.predict(unseen))


def test_a_model_file_names_model_settings_seed_and_version(fitted, tmp_path):
    fitted.save(tmp_path)
    about = json.loads((tmp_path / "model.json").read_text())
    assert about.keys() == {"model", "settings", "seed", "pricer_version"}
    assert about["model"] == fitted.name


def test_settings_and_seed_survive_saving(train, tmp_path):
    make_model("bag-of-words", seed=7, words=20).fit(train).save(tmp_path)
    loaded = load(tmp_path)
    assert (loaded.words, loaded.seed, len(loaded.words_)) == (20, 7, 20)


@pytest.mark.parametrize("place", ["nowhere", "no/such/folder", ".."])
def test_where_no_model_is_loading_says_so(place):
    with pytest.raises(PricerError, match="there is no model in"):
        load(place)


class Canary:
    """Writes a file when a reader runs what it reads."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_loading_never_runs_what_a_file_holds(fitted, tmp_path):
    fitted.save(tmp_path)
    proof = tmp_path / "ran"
    content = io.BytesIO()
    np.savez(content, **{name: np.array([Canary(proof)], dtype=object) for name in saved_arrays(tmp_path)})
    (tmp_path / "learned.npz").write_bytes(content.getvalue())
    np.load(tmp_path / "learned.npz", allow_pickle=True)[next(iter(saved_arrays(tmp_path, True)))]
    assert proof.exists(), "the canary itself must work"
    proof.unlink()
    with pytest.raises(PricerError, match="damaged"):
        load(tmp_path)
    assert not proof.exists()


def saved_arrays(folder: Path, names_only: bool = False) -> dict[str, np.ndarray] | list[str]:
    with np.load(folder / "learned.npz", allow_pickle=False) as stored:
        return stored.files if names_only else {name: stored[name] for name in stored.files}


@pytest.mark.parametrize("spoil", [
    lambda array: array.astype(object),
    lambda array: array.astype(np.complex128),
    lambda array: np.full(array.shape, np.nan) if array.dtype.kind == "f" else -array - 1,
    lambda array: np.zeros((*array.shape, 3), array.dtype),
])  # fmt: skip
def test_arrays_of_another_kind_are_refused(fitted, tmp_path, spoil):
    fitted.save(tmp_path)
    arrays = saved_arrays(tmp_path)
    for name, array in arrays.items():
        np.savez(tmp_path / "learned.npz", **(arrays | {name: spoil(array)}))
        with pytest.raises(PricerError, match="damaged"):
            load(tmp_path)


@pytest.mark.parametrize("size", [0, 10, -30])
def test_a_cut_file_is_refused(fitted, tmp_path, size):
    fitted.save(tmp_path)
    for path in tmp_path.iterdir():
        whole = path.read_bytes()
        path.write_bytes(whole[:size])
        with pytest.raises(PricerError):
            load(tmp_path)
        path.write_bytes(whole)


@pytest.mark.parametrize("change", [
    {"model": "os:system"}, {"model": "pricer.models.words:BagOfWords"}, {"model": ["mean"]}, {"model": None},
    {"settings": {"seed": 1}}, {"settings": {"__class__": 1}}, {"settings": [1]}, {"seed": -1}, {"seed": "42"},
])  # fmt: skip
def test_a_model_file_that_says_something_else_is_refused(fitted, tmp_path, change):
    fitted.save(tmp_path)
    about = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(about | change))
    with pytest.raises(PricerError):
        load(tmp_path)


def test_a_model_is_not_loaded_as_another(train, tmp_path):
    make_model("mean").fit(train).save(tmp_path)
    with pytest.raises(PricerError, match="holds the model 'mean', not 'bag-of-words'"):
        MODELS["bag-of-words"].find_class().load(tmp_path)


def test_saved_files_hold_no_pickle(fitted, tmp_path):
    fitted.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".npz"}
    with zipfile.ZipFile(tmp_path / "learned.npz") as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())
    assert all(array.dtype.kind in "fi" for array in saved_arrays(tmp_path).values())


# Kinds and settings


@pytest.mark.parametrize("name", MODELS)
def test_an_entry_names_itself_and_its_class(name):
    kind = MODELS[name]
    assert kind.name == name == kind.find_class().name
    assert kind.explanation.endswith(".") and kind.title


@pytest.mark.parametrize("name", MODELS)
def test_more_items_are_never_estimated_to_take_less(name):
    few, many = MODELS[name].estimate(1000), MODELS[name].estimate(400_000)
    assert 0 < few.seconds <= many.seconds
    assert 0 < few.bytes <= many.bytes


def test_listing_the_models_imports_none():
    code = "import sys, pricer.models; print([name for name in ('sklearn', 'scipy', 'torch') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert done.stdout.strip() == "[]", done.stderr


def test_unknown_names_are_quoted():
    with pytest.raises(PricerError, match="no model 'oracle'; models: random, mean"):
        make_model("oracle")
    with pytest.raises(PricerError, match="bag-of-words has no setting 'depth'; it has words"):
        make_model("bag-of-words", depth=3)
    with pytest.raises(PricerError, match="mean has no setting 'words'; it has none"):
        make_model("mean", words=3)


@pytest.mark.parametrize("value", [0, 20_001, 10.5, "many", True, None, float("nan")])
def test_a_value_out_of_range_is_quoted(value):
    with pytest.raises(PricerError, match=r"words must be a whole number from 1 to 20,000, got "):
        make_model("bag-of-words", words=value)


def test_a_typed_setting_is_read_as_its_default_is():
    words, alpha = Setting("words", 1000, 1, 20_000, ""), Setting("alpha", 0.3, 0.001, 1000.0, "")
    assert (words.parse("2000"), alpha.parse("1e-2")) == (2000, 0.01)
    assert isinstance(words.parse("2000"), int)
    with pytest.raises(PricerError, match=r"alpha must be a number from 0\.001 to 1,000\.0, got 'high'"):
        alpha.parse("high")


def test_without_price_takes_just_the_price_columns(items):
    assert set(items.columns) - set(without_price(items).columns) == {"price", "price_spread", "slot"}
    assert without_price(without_price(items)).equals(without_price(items))


# What single models promise


def test_mean_guesses_the_mean():
    two = pl.concat([item_saying("a lamp"), item_saying("a chair")]).with_columns(price=pl.Series([10.0, 30.0]))
    assert make_model("mean").fit(two).predict(two).tolist() == [20.0, 20.0]


@pytest.mark.parametrize("words", [1000, 2000])
def test_bag_of_words_is_the_notebooks(train, unseen, words):
    vectorizer = CountVectorizer(max_features=words, stop_words="english")
    line = LinearRegression().fit(vectorizer.fit_transform(train["text"]), train["price"])
    expected = np.clip(line.predict(vectorizer.transform(unseen["text"])), 0, None)
    assert (expected == 0).any()
    np.testing.assert_allclose(make_model("bag-of-words", words=words).fit(train).predict(unseen), expected)


def test_words_beat_the_mean_on_generated_items(items):
    error = {}
    for name in ("mean", "tfidf-ridge"):
        guesses = make_model(name).fit(items[:FEW]).predict(without_price(items[FEW:]))
        error[name] = np.abs(guesses.clip(1, 999) - items["price"][FEW:].to_numpy()).mean()
    assert error["tfidf-ridge"] < 0.8 * error["mean"]


def test_more_alpha_is_more_cautious(train, unseen):
    spread = [np.log(make_model("tfidf-ridge", alpha=alpha).fit(train).predict(unseen)).std() for alpha in (0.1, 10.0)]
    assert spread[1] < spread[0]


@pytest.mark.parametrize("name", ["bag-of-words", "tfidf-ridge"])
def test_models_of_words_say_how_far_they_are(name, train):
    steps: list[Step] = []
    make_model(name).fit(train, report=steps.append)
    assert {step.stage for step in steps} == {"Counting words", "Fitting"}
    assert steps[-1].count == len(train)


def test_items_without_the_text_that_is_read_are_refused(train):
    with pytest.raises(PricerError, match="no column 'full_text'"):
        make_model("tfidf-ridge").fit(train.drop("full_text"))
