"""Stacks of runs, from weights to prices, and guesses from elsewhere as runs."""

import itertools
import json
import shutil
from dataclasses import astuple

import numpy as np
import polars as pl
import pytest

from pricer.__main__ import main
from pricer.catalogue.build import build_catalogue
from pricer.curation.dataset import make_dataset
from pricer.curation.recipe import Recipe
from pricer.errors import PricerError
from pricer.models import load, without_price
from pricer.models.stack import least_absolute_weights
from pricer.runs.guessing import describe, guess_prices, runs_that_guess
from pricer.runs.importing import import_guesses
from pricer.runs.orders import order_arguments, read_order
from pricer.runs.preflight import preflight
from pricer.runs.stacking import stack_run, why_left_out
from pricer.runs.store import Run, open_run
from pricer.runs.training import Order, train_run
from tests.products import raw_row, write_rows


@pytest.fixture
def dataset(tmp_path):
    rows = [raw_row(number, price=5 + number * 7 % 900) for number in range(900)]
    catalogue = build_catalogue([write_rows(tmp_path / "rows.jsonl", rows)], "test")
    return make_dataset(catalogue, Recipe(cutoff=1, cap=10), "all")


@pytest.fixture
def parts(dataset) -> list[Run]:
    return [train_run(Order(model, "all", first_n=300)) for model in ("mean", "tfidf-ridge")]


# Weights


def test_a_perfect_guesser_gets_all_the_weight():
    prices = np.random.default_rng(0).uniform(1, 999, 200)
    guesses = np.column_stack([np.full(200, 100.0), prices])
    np.testing.assert_allclose(least_absolute_weights(guesses, prices), [0, 1], atol=1e-9)


def test_weights_are_never_negative():
    prices = np.linspace(10, 100, 50)
    weights = least_absolute_weights(np.column_stack([prices, 110 - prices]), 100 - prices)
    assert (weights >= 0).all()


def test_no_other_weights_err_less():
    random = np.random.default_rng(1)
    prices = random.lognormal(4, 1, 80)
    guesses = prices[:, None] * random.lognormal(0, 0.5, (80, 2))
    best = np.abs(prices - guesses @ least_absolute_weights(guesses, prices)).sum()
    others = itertools.product(np.linspace(0, 1.5, 61), repeat=2)
    assert best <= min(np.abs(prices - guesses @ np.array(weights)).sum() for weights in others) + 1e-6


# Stacks


def test_a_stack_adds_up_what_its_runs_said_of_the_exam(parts):
    run = stack_run(Order("stack", "all", of=tuple(part.id for part in parts)))
    weights = load(run.id).weights_
    said = [part.guesses()["guess"].to_numpy().clip(1, 999) for part in parts]
    np.testing.assert_allclose(run.guesses()["guess"].to_numpy(), np.column_stack(said) @ weights)
    assert run.manifest.of == tuple(part.id for part in parts)
    assert run.manifest.family == "stack"
    assert run.manifest.fit_seconds >= sum(part.manifest.fit_seconds for part in parts)


def test_a_stack_prices_products_as_other_models_do(parts, dataset):
    run = stack_run(Order("stack", "all", of=tuple(part.name for part in parts)))
    items = without_price(dataset.exam().collect())
    by_id = run.guesses().sort("item_id")["guess"].to_numpy()
    np.testing.assert_allclose(run.model().predict(items.sort("item_id")), by_id)
    assert run.id in guess_prices(describe(["a lamp"]), runs_that_guess())


def test_a_stack_whose_run_is_gone_says_which(parts):
    run = stack_run(Order("stack", "all", of=tuple(part.id for part in parts)))
    shutil.rmtree(parts[0].folder)
    with pytest.raises(PricerError, match=f"the stack's run {parts[0].id} cannot be loaded"):
        run.model()


@pytest.mark.parametrize("of", [["../../elsewhere", "0a"], [], ["self", "self2"]])
def test_a_tampered_stack_is_refused(parts, of):
    run = stack_run(Order("stack", "all", of=tuple(part.id for part in parts)))
    words = run.folder / "model" / "words.json"
    words.write_text(json.dumps(of))
    with pytest.raises(PricerError):
        run.model()


def test_a_stack_that_holds_itself_is_refused(parts):
    run = stack_run(Order("stack", "all", of=tuple(part.id for part in parts)))
    (run.folder / "model" / "words.json").write_text(json.dumps([run.id, parts[0].id]))
    with pytest.raises(PricerError, match="it is a stack too"):
        run.model()


def test_runs_that_do_not_go_together_are_not_stacked(parts, dataset):
    mean, ridge = (part.id for part in parts)
    few = train_run(Order("mean", "all", first_k=20)).id
    with pytest.raises(PricerError, match="at least two runs, got 1"):
        stack_run(Order("stack", "all", of=(mean, mean)))
    with pytest.raises(PricerError, match="different parts of the exam"):
        stack_run(Order("stack", "all", of=(mean, few)))
    stack = stack_run(Order("stack", "all", of=(mean, ridge)))
    with pytest.raises(PricerError, match="is a stack"):
        stack_run(Order("stack", "all", of=(mean, stack.id)))
    with pytest.raises(PricerError, match="only a stack is made of runs"):
        train_run(Order("mean", "all", of=(mean,)))


def test_what_cannot_be_stacked_says_why_and_what_to_do(parts, dataset, tmp_path):
    dataset.exam().collect().select("item_id", guess="price").write_csv(tmp_path / "guesses.csv")
    imported, _ = import_guesses(tmp_path / "guesses.csv", "all", "Ada")
    with pytest.raises(PricerError, match=r"'Ada' holds imported guesses, of the exam alone.*; leave it out"):
        stack_run(Order("stack", "all", of=(parts[0].id, imported.id)))
    shutil.rmtree(parts[1].folder / "model")
    assert "train it again" in why_left_out(parts[1], dataset)
    asks = parts[0].manifest.model_copy(update={"model": "hosted", "model_settings": {"model": "gpt-x"}})
    paid = Run(asks)
    assert why_left_out(paid, dataset) is None  # its guesses of validation are kept
    (paid.folder / "validation.parquet").unlink()
    assert "takes money" in why_left_out(paid, dataset)


def test_preflight_of_a_stack_weighs_its_runs(parts, dataset, monkeypatch):
    order = Order("stack", "all", of=tuple(part.name for part in parts))
    found = preflight(order, dataset, parts)
    assert found.may_start and found.train_items == dataset.manifest.validation
    assert ("pass", "Runs that go together", "2") in [astuple(check) for check in found.checks]
    alone = preflight(Order("stack", "all", of=(parts[0].name,)), dataset)
    assert [check.words for check in alone.checks if check.verdict == "stop"] == [
        "A stack needs at least two runs, got 1: choose them (--of RUN for each)"
    ]
    stack = stack_run(order)
    assert "The same was run before; it will guess the same" in [
        check.words for check in preflight(order, dataset, [stack, *parts]).checks
    ]
    monkeypatch.setattr("pricer.runs.training.psutil.virtual_memory", lambda: type("Memory", (), {"available": 1})())
    assert not preflight(order, dataset).may_start
    with pytest.raises(PricerError, match=r"a stack of 2 runs needs about .* of memory"):
        stack_run(order)


def test_a_stack_is_ordered_on_the_command_line(parts, capsys):
    order = Order("stack", "all", name="both", of=tuple(part.id for part in parts))
    assert read_order(order_arguments(order)) == order
    assert main(order_arguments(order)) == 0
    assert open_run("both").manifest.of == order.of
    assert main(["train", "stack", "--dataset=all"]) == 2
    assert "at least two runs" in capsys.readouterr().err


# Guesses from elsewhere


def test_every_row_of_a_file_is_accounted_for(dataset, tmp_path):
    first, second, third, *rest = dataset.exam().collect()["item_id"]
    path = tmp_path / "guesses.csv"
    path.write_text(f'item_id,guess\n{first},"$1,024.50"\n{second},no idea\n{third},12\n{third},13\nnowhere,5\n')
    run, found = import_guesses(path, "all", "Ada")
    assert (found.rows, found.matched, found.unknown, found.duplicates) == (5, 3, 1, 1)
    assert (found.failed, found.missing) == (1, len(rest))
    assert [(row.line, row.item_id) for row in found.bad] == [(3, second), (5, third), (6, "nowhere")]
    assert "guessed in line 4 already" in found.bad[1].why
    table = run.guesses().sort("item_id")
    expected = {first: (1024.5, "answer"), second: (None, "failed"), third: (12.0, "answer")}
    assert {row["item_id"]: (row["guess"], row["status"]) for row in table.iter_rows(named=True)} == expected
    assert table["raw_answer"].to_list() == [
        {first: "$1,024.50", second: "no idea", third: "12"}[key] for key in sorted(expected)
    ]
    assert run.manifest.family == "human"


def test_imported_guesses_stand_beside_runs(parts, dataset, tmp_path, capsys):
    path = tmp_path / "guesses.csv"
    exam = dataset.exam().collect()
    exam.select("item_id", guess="price").write_csv(path)
    assert main(["import-guesses", str(path), "--dataset=all", "--name=oracle", "--family=hosted", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["matched"], said["error_dollars"], said["family"]) == (len(exam), 0.0, "hosted")
    assert main(["compare", "oracle", "mean (300 items) on all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["leaderboard"][0]["name"] == "oracle"
    assert "oracle" not in [run.name for run in runs_that_guess()]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "needs the columns item_id and guess; it has none"),
        ("id,price\na,1\n", "needs the columns item_id and guess; it has id, price"),
        ("item_id,guess\nnowhere,1\n", "none of its 1 rows names an item of the exam"),
    ],
)
def test_a_file_that_grades_nothing_is_told(dataset, tmp_path, content, said):
    path = tmp_path / "guesses.csv"
    path.write_text(content)
    with pytest.raises(PricerError, match=said):
        import_guesses(path, "all", "Ada")
    with pytest.raises(PricerError, match="family of imported guesses is human or hosted, got 'alien'"):
        import_guesses(path, "all", "Ada", "alien")


def test_a_missing_guess_is_a_failed_one(dataset, tmp_path):
    [first] = dataset.exam().head(1).collect()["item_id"]
    (tmp_path / "guesses.csv").write_text(f"item_id,guess\n{first}\n")
    run, _ = import_guesses(tmp_path / "guesses.csv", "all", "Ada")
    assert run.guesses()["status"].to_list() == ["failed"]
    assert isinstance(run.guesses().schema["guess"], pl.Float64)


def test_a_stack_keeps_guesses_of_validation_by_weights_that_have_not_seen_them(parts):
    run = stack_run(Order("stack", "all", of=tuple(part.id for part in parts)))
    kept, weights = run.validation_guesses(), run.model().weights_
    seen = np.column_stack([part.validation_guesses()["guess"] for part in parts]).clip(1, 999) @ weights
    assert len(kept) == len(seen)
    assert not np.allclose(kept["guess"], seen)
    assert np.corrcoef(kept["guess"], seen)[0, 1] > 0.8
