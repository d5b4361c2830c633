"""Rewriting on the page Catalogue: its price before, the button, and old beside new."""

import pytest
from streamlit.testing.v1 import AppTest

from pricer.llm.limiter import limiter_of
from pricer.llm.providers import Price, add_provider, set_price
from pricer.runs.jobs import list_jobs
from pricer.runs.rewriting import RewriteOrder, rewrite
from tests.provider_server import ProviderServer
from tests.test_pages import NAVIGATION, text

GOOD = "Title: <b>Lamp</b>\nCategory: Home\nBrand: Lux\nDescription: It shines.\nDetails: Of brass."


@pytest.fixture
def server(home):
    limiter_of.cache_clear()
    with ProviderServer() as running:
        running.answer = lambda asked: GOOD
        yield running


def opened() -> AppTest:
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60).run()
    app.switch_page("data/catalogue.py").run()
    assert not app.exception
    return app


def test_the_price_stands_before_the_button_and_the_button_queues_the_command(demo, server, monkeypatch):
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    add_provider("local", server.url)
    app = opened()
    assert any("Name a model" in caption.value for caption in app.caption)
    app.text_input(key="rewrite_model").set_value("small-1").run()
    assert any("nobody has stated" in warning.value.lower() for warning in app.warning)
    app.selectbox(key="rewrite_provider").select("local").run()
    assert "$0.00" in text(app) and "127.0.0.1" in text(app) and server.requests == []
    button = next(button for button in app.button if button.label == "Rewrite")
    assert not button.disabled
    button.click().run()
    assert not app.exception
    (job,) = list_jobs()
    assert job.arguments[:3] == ("rewrite", "demo", "--provider=local") and job.resources == "network"


def test_what_costs_more_than_the_cap_shows_its_price_and_what_stops_it(demo, monkeypatch):
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    set_price("openai", "small-1", Price(100.0, 100.0))
    app = opened()
    app.text_input(key="rewrite_model").set_value("small-1").run()
    assert "Price, at most" in text(app) and "Items that are asked" in text(app) and "OPENAI_API_KEY" in text(app)
    assert "✕ stop" in text(app) and "api.openai.com" in text(app)
    assert any("cap" in warning.value for warning in app.warning)
    assert app.button(key="start_rewrite").disabled


def test_a_rewritten_catalogue_says_by_whom_and_shows_old_beside_new(demo, server):
    add_provider("local", server.url)
    rewrite(RewriteOrder("demo", "local", "small-1", "short", first=30))
    app = opened()
    shown = text(app)
    assert "30 texts rewritten by small-1" in shown and "from demo@1" in shown
    assert GOOD in [code.value for code in app.code]
    assert app.session_state["catalogue"] == "short"
