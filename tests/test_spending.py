"""Nothing is spent above the cap that the user sets: not by the command, not by the page, not without the key."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pricer.__main__ import main
from pricer.curation.dataset import open_dataset
from pricer.errors import PricerError
from pricer.llm.prompts import find_prompt
from pricer.llm.providers import Price, set_price
from pricer.runs.preflight import preflight
from pricer.runs.spending import FILE, cap, check_spending, quote, set_cap
from pricer.runs.store import list_runs
from pricer.runs.training import Order
from tests.provider_server import ProviderServer
from tests.test_model_pages import opened, text

KEY = "OPENAI_API_KEY"
ASK = ["train", "hosted", "--dataset", "even", "--set", "model=small-1"]


@pytest.fixture
def paid(home: Path, trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    """A provider one of whose models costs at most $0.10 a guess by the prompt plain, and that needs a key."""
    shutil.copytree(trained_home, home)
    with ProviderServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        monkeypatch.setenv(KEY, "canary")
        set_price("openai", "small-1", Price(0.0, 1e6 * 0.1 / find_prompt("plain").max_tokens))
        yield running


def verdicts(first_k: int | None = None) -> dict[str, tuple[str, str]]:
    order = Order("hosted", "even", {"model": "small-1"}, asked="natural", first_k=first_k)
    found = preflight(order, open_dataset("even"))
    return {check.words: (check.verdict, check.value) for check in found.checks}


def test_nothing_is_spent_before_a_cap_is_set(paid, capsys):
    runs = len(list_runs())
    assert main([*ASK, "--ask", "10"]) == 2
    assert "a run may cost $0.00" in capsys.readouterr().err
    assert len(list_runs()) == runs and paid.count("/chat/completions") == 0


def test_a_run_within_the_cap_is_carried_out_and_one_above_it_is_not(paid, capsys):
    assert main(["cap", "1.5"]) == 0
    assert "$1.50 at most" in capsys.readouterr().out
    asked = [*ASK, "--exam", "natural", "--ask"]
    assert main([*asked, "15", "--name", "within"]) == 0
    assert main([*asked, "16", "--name", "above"]) == 2
    assert "would cost about $1.60 for 16 items" in capsys.readouterr().err
    assert list_runs()[0].name == "within" and paid.paid == 15


def test_preflight_stops_above_the_cap_and_without_the_key(paid, monkeypatch):
    set_cap(2.0)
    assert verdicts(20)["Price, and what a run may cost at most"] == ("pass", "about $2.00 of $2.00")
    assert verdicts(21)["Price, and what a run may cost at most"][0] == "stop"
    assert verdicts(20)[f"Key {KEY}"] == ("pass", "environment")
    assert "canary" not in str(verdicts(20))
    monkeypatch.delenv(KEY)
    assert verdicts(20)[f"Key {KEY}"] == ("stop", "none")


def test_small_sums_are_told_and_a_price_of_nothing_is_one_that_somebody_stated(paid):
    set_price("openai", "small-1", Price(0.0, 1e6 * 0.0004 / find_prompt("plain").max_tokens))
    set_cap(0.01)
    assert verdicts(10)["Price, and what a run may cost at most"] == ("pass", "about $0.0040 of $0.010")
    set_price("openai", "small-1", Price(0.0, 0.0))
    assert verdicts(10)["Price"] == ("pass", "nothing, as stated")


def test_the_cap_is_set_on_the_page_where_it_matters(paid):
    app = opened("train")
    app.pills(key="train_family").set_value("hosted").run()
    app.text_input(key="train_hosted_model").set_value("small-1").run()
    app.number_input(key="train_cap").set_value(7.0).run()
    assert not app.exception
    assert cap() == 7.0
    assert "of $7.00" in text(app)


def test_models_of_this_machine_cost_nothing_and_need_no_cap(paid):
    assert quote("tfidf-ridge", 1_000_000).dollars == 0.0
    check_spending("tfidf-ridge", 1_000_000)
    assert "train_cap" not in [widget.key for widget in opened("train").number_input]


@pytest.mark.parametrize("dollars", [-1.0, float("nan"), float("inf")])
def test_a_cap_is_an_amount(home, dollars):
    with pytest.raises(PricerError, match="an amount in dollars"):
        set_cap(dollars)


def test_a_damaged_cap_allows_nothing(paid, home):
    (home / FILE).write_text("{")
    with pytest.raises(PricerError, match="set it again"):
        check_spending("hosted", 1, {"model": "small-1"})
