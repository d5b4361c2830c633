"""Train's panel of hosted models: a provider's models and prices, keys that are typed, and providers of one's own."""

import shutil

import pytest

from pricer import keys
from pricer.__main__ import main
from pricer.llm.providers import Price, find_provider, set_price
from pricer.runs.history import delete_entry
from pricer.runs.spending import set_cap
from pricer.runs.store import list_runs
from tests.products import raw_row, write_rows
from tests.provider_server import ProviderServer
from tests.test_model_pages import opened, text

CANARY = "sk-CANARYthatMustBeNowhere0123456789"
TAG = '<div class="pr-tag">'


@pytest.fixture
def server(home, trained_home, monkeypatch):
    shutil.copytree(trained_home, home)
    monkeypatch.setattr(keys, "_typed", {})
    with ProviderServer() as running:
        running.keys = {CANARY}
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


@pytest.fixture
def app(server):
    page = opened("train")
    page.pills(key="train_family").set_value("hosted").run()
    assert not page.exception
    return page


def test_a_typed_key_lists_models_and_stays_in_the_server_s_memory(app, server):
    assert app.button(key="list_models").disabled
    app.text_input(key="typed_provider_key").set_value(CANARY)
    next(each for each in app.button if each.label == "Use it").click().run()
    app.button(key="list_models").click().run()
    assert not app.exception and "lists 2 models" in text(app)
    assert app.selectbox(key="train_hosted_model").options == ["large-1", "small-1"]
    assert CANARY not in text(app) + repr(app)
    app.button(key="forget_provider_key").click().run()
    assert app.button(key="list_models").disabled


def test_a_run_waits_for_a_price_and_a_cap(app, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    app.text_input(key="train_hosted_model").set_value("small-1").run()
    assert "Nobody has stated what small-1 costs" in text(app)
    assert app.button(key="start_train").disabled
    inputs = [each for each in app.number_input if each.label.startswith("Dollars a million")]
    state = next(each for each in app.button if each.label == "State this price")
    state.click().run()
    assert find_provider("openai").price("small-1") is None, "no price was typed"
    inputs = [each for each in app.number_input if each.label.startswith("Dollars a million")]
    inputs[0].set_value(1.0)
    inputs[1].set_value(4.0)
    next(each for each in app.button if each.label == "State this price").click().run()
    assert find_provider("openai").price("small-1") == Price(1.0, 4.0)
    assert "of $0.00" in text(app) and app.button(key="start_train").disabled
    app.number_input(key="train_cap").set_value(5.0).run()
    assert not app.exception and "of $5.00" in text(app)
    assert not app.button(key="start_train").disabled


def test_an_own_provider_is_added_and_one_elsewhere_refused(app):
    def add(name: str, address: str) -> None:
        app.text_input(key="own_name").set_value(name)
        app.text_input(key="own_base").set_value(address)
        next(each for each in app.button if each.label == "Add").click().run()

    add("lab", "http://169.254.169.254/v1")
    assert any("is asked by https only" in each.value for each in app.error)
    add("lab", "http://127.0.0.1:8765/v1")
    assert not app.exception and not app.error
    assert "lab" in app.selectbox(key="train_hosted_provider").options
    app.button(key="remove_lab").click().run()
    assert "lab" not in app.selectbox(key="train_hosted_provider").options


def test_predict_asks_a_hosted_model_only_when_its_button_is_pressed(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    set_price("openai", "small-1", Price(1.0, 4.0))
    set_cap(1.0)
    assert main(["ask", "small-1", "--dataset", "even", "--exam", "natural", "--first", "5", "--name", "big one"]) == 0
    page = opened("predict")
    page.session_state["predict_product"] = "A lamp that no exam has"
    page.run()
    assert not page.exception and server.paid == 5
    server.answer = lambda body: "$12 to $15"
    button = page.button(key=f"ask_{list_runs()[0].id}")
    assert button.label == "Ask, at most a cent: big one"
    button.click().run()
    assert not page.exception and server.paid == 6
    assert "big one said: $12 to $15" in text(page) and "no answer" in text(page)
    for run in list_runs()[1:]:
        delete_entry(run.id)
    page = opened("predict")
    assert not page.exception, "where only hosted runs stand"
    assert page.button(key=button.key).label == button.label


def test_predict_offers_an_exam_that_only_language_models_were_asked(server, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    set_price("openai", "small-1", Price(1.0, 4.0))
    set_cap(1.0)
    rows = [raw_row(number, price=5 + number * 7 % 900) for number in range(300)]
    assert main(["load", str(write_rows(tmp_path / "rows.jsonl", rows)), "--catalogue", "other"]) == 0
    assert main(["sample", "other", "--dataset", "elsewhere"]) == 0
    assert main(["ask", "small-1", "--dataset", "elsewhere", "--exam", "natural", "--first", "5"]) == 0
    asked, *trained = list_runs()
    page = opened("predict")
    assert TAG in text(page) and f"ask_{asked.id}" not in [each.key for each in page.button]
    page.selectbox(key="predict_exam").set_value(asked.manifest.exam_hash).run()
    assert not page.exception and page.button(key=f"ask_{asked.id}")
    assert TAG not in text(page) and trained[0].name not in text(page)
