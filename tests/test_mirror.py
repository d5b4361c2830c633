"""Losses that Weights & Biases gets too: its package is no part of Pricer, so most of this runs where that is."""

import importlib.util

import pytest

from pricer.llm.tuned.mirror import KEY, mirrored
from pricer.progress import Point, Step

SECRET = "canary0123456789canary0123456789canary01"
installed = pytest.mark.skipif(not importlib.util.find_spec("wandb"), reason="wandb is not installed")


@pytest.fixture
def told():
    yield []
    if importlib.util.find_spec("wandb"):
        import wandb

        wandb.teardown()  # it remembers the environment


def test_without_a_key_nothing_else_is_told(home, told, monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    with mirrored(told.append, "work", {}) as report:
        assert report == told.append


@pytest.mark.skipif(bool(importlib.util.find_spec("wandb")), reason="wandb is installed")
def test_a_key_without_the_package_says_what_to_install(home, told, monkeypatch):
    monkeypatch.setenv(KEY, SECRET)
    with mirrored(told.append, "work", {}) as report:
        report(Step("Tuning", 1, "steps"))
    assert "pip install wandb" in told[0].stage and told[1] == Step("Tuning", 1, "steps")


@installed
@pytest.mark.slow
def test_each_point_is_passed_on_and_the_key_is_written_nowhere(home, told, monkeypatch):
    monkeypatch.setenv(KEY, SECRET)
    monkeypatch.setenv("WANDB_MODE", "offline")
    home.mkdir(exist_ok=True)
    with mirrored(told.append, "work", {"r": 8}) as report:
        report(Step("Tuning", 10, "steps", 0.1, Point(10, "steps", {"training loss": 1.25})))
    assert [step.count for step in told] == [10]
    [kept] = home.rglob("*.wandb")
    assert b"training loss" in kept.read_bytes()
    assert not [path for path in home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


@installed
@pytest.mark.slow
def test_a_service_that_is_not_there_is_told_and_the_tuning_goes_on(home, told, monkeypatch):
    monkeypatch.setenv(KEY, SECRET)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("pricer.llm.tuned.mirror.SECONDS_TO_REACH", 5.0)
    with mirrored(told.append, "work", {}) as report:
        report(Step("Tuning", 1, "steps"))
    assert told[0].stage.startswith("Weights & Biases: ") and SECRET not in told[0].stage
    assert told[-1] == Step("Tuning", 1, "steps")
