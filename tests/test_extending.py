"""A run that was asked a part of its exam is asked more, and nothing twice."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pricer.__main__ import main
from pricer.errors import PricerError
from pricer.models.bins import Bins
from pricer.runs.extending import extend_run, may_extend
from pricer.runs.jobs import claim, submit
from pricer.runs.store import Run, errors_of, list_runs, open_run
from pricer.runs.training import Order, train_run


@pytest.fixture
def short(home: Path, trained_home: Path) -> Run:
    """A run that was asked the first 20 of both exams."""
    shutil.copytree(trained_home, home)
    return train_run(Order("bag-of-words", "even", first_k=20))


def test_an_extended_run_equals_one_that_was_asked_all_at_once(short):
    longer = extend_run(short.id, None)
    at_once = train_run(Order("bag-of-words", "even"))
    columns = ["item_id", "guess", "status"]
    assert longer.guesses().select(columns).equals(at_once.guesses().select(columns))
    assert longer.manifest.extends == short.id and longer.manifest.first_k is None
    assert errors_of([longer])[longer.id] == errors_of([at_once])[at_once.id]
    assert longer.validation_guesses().equals(short.validation_guesses())


def test_what_was_answered_is_not_asked_again(short, monkeypatch):
    asked: list[str] = []
    model = short.model()
    monkeypatch.setattr(
        type(model), "predict", lambda self, items: asked.extend(items["item_id"]) or np.ones(len(items))
    )
    longer = extend_run(short.id, 40)
    old, new = short.guesses(), longer.guesses()
    assert not set(asked) & set(old["item_id"]) and len(asked) == len(new) - len(old) > 0
    assert new.join(old, on="item_id", how="semi").sort("item_id").equals(old.sort("item_id"))
    assert len(short.guesses()) == len(old)


def test_distributions_are_kept_in_the_order_of_the_guesses(home, trained_home):
    shutil.copytree(trained_home, home)
    order = Order("bins", "even", {"epochs": 1, "width": 4, "bins": 8}, asked="natural", first_k=15)
    longer = extend_run(train_run(order).id, 30)
    chances, model = longer.distribution(), longer.model()
    assert isinstance(model, Bins) and chances.shape == (30, 1000)
    exam = longer.dataset().exam().collect()
    items = pl.DataFrame({"item_id": longer.guesses()["item_id"]}).join(exam, on="item_id", maintain_order="left")
    assert np.allclose(chances, model.predict_distribution(items), atol=1e-3)
    assert len(longer.validation_distribution()) == len(longer.validation_guesses())


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_job_that_died_after_its_run_stood_ends_with_that_run(short, home, monkeypatch, by):
    label = getattr(short, by)
    submit(["extend", label, "--ask", "all"], "light")
    folder = home / "jobs" / claim("worker").id
    folder.mkdir(parents=True)
    monkeypatch.setenv("PRICER_JOB_FOLDER", str(folder))
    first, count = extend_run(label, None), len(list_runs())
    assert extend_run(label, None) == first
    assert len(list_runs()) == count


def test_a_run_that_cannot_be_asked_more_says_why(short):
    with pytest.raises(PricerError, match="ask more than that"):
        extend_run(short.id, 20)
    whole = open_run("mean on even")
    assert may_extend(whole) is None
    with pytest.raises(PricerError, match="whole exam already"):
        extend_run(whole.id, None)
    shutil.rmtree(short.folder / "model")
    with pytest.raises(PricerError, match="cannot be asked more"):
        extend_run(short.id, None)


def test_the_command_line_extends_a_run(short, capsys):
    assert main(["extend", short.id, "--ask", "30"]) == 0
    assert f"which extends {short.id}" in capsys.readouterr().out
    assert main(["extend", short.id, "--ask", "few"]) == 2
    assert "whole number of items or all, got 'few'" in capsys.readouterr().err
