import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pricer.__main__ import main
from pricer.catalogue.build import build_catalogue
from pricer.catalogue.store import open_catalogue
from pricer.curation.dataset import Dataset, make_dataset
from pricer.curation.recipe import Recipe
from pricer.errors import PricerError
from pricer.evaluation.errors import metrics
from pricer.evaluation.leaderboard import leaderboard
from pricer.evaluation.scoring import Scoring
from pricer.models import without_price
from pricer.runs.asking import live_guesses
from pricer.runs.guessing import describe, guess_prices, read_descriptions, runs_that_guess, worked_examples
from pricer.runs.ranges import origin, range_of_guess
from pricer.runs.store import RunManifest, list_runs, open_run
from pricer.runs.training import Order, read_train, train_run
from tests.products import raw_row, write_rows


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    rows = [raw_row(number, price=5 + number * 7 % 900) for number in range(400)]
    catalogue = build_catalogue([write_rows(tmp_path / "rows.jsonl", rows)], "test")
    return make_dataset(catalogue, Recipe(cutoff=1, cap=10), "all")


def test_a_run_is_recorded_with_its_guesses_and_its_model(dataset):
    run = train_run(Order("mean", "all"))
    guesses = run.guesses()
    assert [found.id for found in list_runs()] == [run.id] and open_run("mean on all").id == run.id
    assert set(guesses["item_id"]) == set(dataset.exam().collect()["item_id"])
    mean = dataset.train().collect()["price"].mean()
    assert guesses["guess"].to_list() == pytest.approx([mean] * len(guesses))
    assert run.model().predict(describe(["a lamp"]))[0] == pytest.approx(mean)


def test_the_error_of_a_run_is_computed_from_its_guesses(dataset):
    run = train_run(Order("mean", "all"))
    graded = run.graded()
    exam = dataset.exam().filter(pl.col("natural")).collect()
    expected = (exam["price"] - dataset.train().collect()["price"].mean()).abs().mean()
    assert metrics(graded.table, graded.train_median).error == pytest.approx(expected)


def test_the_first_n_of_train_are_random_and_nested(dataset):
    few, more = (read_train(dataset, "mean", n) for n in (20, 50))
    assert (len(few), len(more)) == (20, 50) and set(few["item_id"]) < set(more["item_id"])
    assert set(few["item_id"]) != set(dataset.train().collect()["item_id"][:20])


@pytest.mark.parametrize(("asked", "k", "count"), [("natural", 5, 5), ("balanced", 3, 3), ("natural", None, 60)])
def test_the_first_k_of_an_exam_are_asked(dataset, asked, k, count):
    run = train_run(Order("mean", "all", asked=asked, first_k=k))
    assert run.manifest.asked_items == len(run.guesses()) == count
    assert run.graded().table[f"{asked}_rank"].sort().to_list() == list(range(count))


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (Order("unknown", "all"), "no model 'unknown'"),
        (Order("mean", "unknown"), "no dataset 'unknown'"),
        (Order("bag-of-words", "all", settings={"words": 0}), "words must be"),
        (Order("mean", "all", first_n=0), "first_n must be at least 1"),
        (Order("mean", "all", asked="easy"), "natural, balanced or both"),
    ],
)
def test_an_order_that_cannot_be_carried_out_leaves_nothing(dataset, order, said):
    with pytest.raises(PricerError, match=said):
        train_run(order)
    assert list_runs() == []


def test_guesses_can_be_watched_as_they_arrive(dataset, home, monkeypatch):
    folder = home / "jobs" / "20261121-000000-abcdef"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PRICER_JOB_FOLDER", str(folder))
    run = train_run(Order("mean", "all"))
    watched = live_guesses(folder.name)
    assert len(watched) == run.manifest.asked_items and run.manifest.job_id == folder.name
    assert set(watched["colour"]) <= {"good", "fair", "poor"}
    assert live_guesses("20261121-000000-ffffff").is_empty()


def test_the_price_of_a_described_product_needs_no_exam(dataset):
    for name in ("mean", "bag-of-words"):
        train_run(Order(name, "all"))
    runs = runs_that_guess()
    prices = guess_prices(describe(["Oak table\nwith four legs", "灯"]), runs)
    assert sorted(prices) == sorted(run.id for run in runs)
    assert all(1 <= price <= 999 for of_run in prices.values() for price in of_run)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_description_is_told(text):
    with pytest.raises(PricerError, match="text is empty"):
        describe([text])


def test_the_worked_examples_are_the_first_of_the_exam_with_a_price_worth_a_guess():
    exam = pl.DataFrame({"price": [1.0, 600.0, 30.0, 99.0], "natural_rank": [0, 1, 3, 2]})
    assert worked_examples(exam, 2)["price"].to_list() == [99.0, 30.0]
    assert worked_examples(exam.filter(pl.col("price") == 1.0), 2)["price"].to_list() == [1.0]


def test_descriptions_are_read_from_csv(tmp_path):
    path = tmp_path / "products.csv"
    path.write_text('title,description,sku\nLamp,"bright, tall",1\n')
    rows, texts = read_descriptions(path)
    assert texts == ["Lamp\nbright, tall"] and rows[0]["sku"] == "1"
    with pytest.raises(PricerError, match="no column colour; it has title, description, sku"):
        read_descriptions(path, "colour")


def test_the_verbs_go_from_train_to_predict(dataset, tmp_path, capsys):
    def run(*arguments: str) -> dict:
        assert main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    told = run("train", "bag-of-words", "--dataset", "all", "--set", "words=50", "--name", "words")
    assert told["error_low"] <= told["error_dollars"] <= told["error_high"]
    run("train", "mean", "--dataset", "all", "--ask", "20")
    assert {facts["name"] for facts in run("runs")["runs"]} == {"words", "mean on all"}
    board = run("compare", "--ask", "20")["leaderboard"]
    assert [row["items"] for row in board] == [20, 20] and board[0]["error"] <= board[1]["error"]
    assert run("predict", "an oak table")["guesses"][0]["dollars"] > 0
    (tmp_path / "in.csv").write_text("text\nan oak table\na lamp\n")
    assert run("predict", str(tmp_path / "in.csv"), "--output", str(tmp_path / "out.csv"))["products"] == 2
    assert (tmp_path / "out.csv").read_text().splitlines()[0] == "text,mean on all,words"


# An exam of the dataset's own


@pytest.fixture
def naive(dataset) -> Dataset:
    return make_dataset(open_catalogue("test"), Recipe(cutoff=1, cap=10), "naive", split="naive")


def test_a_run_on_an_exam_of_its_own_knows_what_leaked_and_stands_with_no_other(naive):
    own, other = train_run(Order("mean", "naive")), train_run(Order("mean", "all"))
    assert (own.manifest.split, other.manifest.split) == ("naive", "roles")
    assert own.manifest.asked_items == naive.manifest.exam
    assert own.graded().table["leaked"].dtype == pl.Boolean and "leaked" not in other.graded().table.columns
    with pytest.raises(PricerError, match="graded on different exams"):
        leaderboard([own.graded(), other.graded()])


def test_an_own_exam_has_no_balanced_part_to_ask(naive):
    with pytest.raises(PricerError, match="the exam of 'naive' has no balanced part; ask the natural one"):
        train_run(Order("mean", "naive", asked="balanced"))
    assert list_runs() == []


def test_an_own_exam_cannot_be_ranked_by_what_it_has_not(naive):
    run = train_run(Order("mean", "naive"))
    board = leaderboard([run.graded()], "balanced")
    assert board["items"].to_list() == [0] and board["place"].to_list() == [None]


def test_a_run_from_before_there_were_splits_is_one_by_roles(dataset):
    old = train_run(Order("mean", "all")).manifest.model_dump()
    del old["split"]
    assert RunManifest.model_validate(old).split == "roles"


def test_a_model_that_gives_a_distribution_has_it_kept_beside_its_guesses(dataset):
    run = train_run(Order("bins", "all", {"width": 4, "epochs": 1}, first_n=100))
    chances = np.load(run.folder / "distribution.npy", allow_pickle=False)
    assert chances.dtype == np.float16 and chances.shape == (len(run.guesses()), 1000)
    own, validation = run.validation_distribution(), dataset.validation().collect()
    np.testing.assert_allclose(own, run.model().predict_distribution(validation), atol=1e-3)
    moved = range_of_guess(run, run.model(), validation, run.validation_guesses()["guess"].to_numpy(), None, 0.5)
    assert np.isfinite(moved.low).all() and origin(run) == "its distribution and validation"
    assert not (train_run(Order("mean", "all")).folder / "distribution.npy").exists()


def test_a_run_keeps_what_it_guessed_of_validation(dataset):
    run = train_run(Order("tfidf-ridge", dataset.name))
    kept, items = run.validation_guesses(), dataset.validation().collect()
    assert kept["item_id"].to_list() == items["item_id"].to_list()
    assert kept["price"].to_list() == items["price"].to_list()
    np.testing.assert_array_equal(kept["guess"], run.model().predict(without_price(items)))


def test_another_point_of_a_distribution_is_read_without_asking_again(dataset):
    run = train_run(Order("bins", dataset.name, {"epochs": 1, "width": 8}))
    guessed, chances = run.graded().table["guess"], run.distribution()
    assert chances.shape == (len(guessed), 1000)
    mean = run.graded(Scoring(point="mean")).table["guess"].to_numpy()
    np.testing.assert_allclose(mean, chances.astype(float) @ np.arange(1000) / chances.astype(float).sum(axis=1))
    low = run.graded(Scoring(point="quantile", quantile=0.1)).table["guess"]
    assert (low <= guessed + 1).all()
    assert low.mean() < guessed.mean()
    plain = train_run(Order("mean", dataset.name))
    assert plain.distribution() is None
    assert plain.graded(Scoring(point="mode")).table.equals(plain.graded().table)
