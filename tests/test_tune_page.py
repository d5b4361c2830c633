"""The page Tune: what it says before anything is paid, what it shows of a tuning, and what can be done with one."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from pricer import database
from pricer.errors import PricerError
from pricer.runs import tuning_files
from pricer.runs.spending import set_cap
from pricer.runs.tuning import tune
from pricer.runs.tunings import list_tunings
from tests.provider_server import Fault
from tests.test_pages import NAVIGATION, text
from tests.test_tuning import CREATE, dataset, even_home, host, order, provider, start_only

__all__ = ["dataset", "even_home", "host", "provider"]  # fixtures of these tests too


def opened() -> AppTest:
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60).run()
    app.switch_page("models/tune.py").run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    shown = [*app.success, *app.warning, *app.info, *app.error, *app.caption, *app.markdown]
    return "\n".join([text(app), *(str(element.value) for element in shown)]).replace("\\", "")


def small(app: AppTest) -> AppTest:
    """The form for a model of the tests' host, on as few rows as there are."""
    app.selectbox(key="tuning_model_openai").select("small-1")
    app.button_group(key="tuning_preset").set_value(["Own"]).run()
    app.number_input(key="tuning_train").set_value(40)
    app.number_input(key="tuning_validation").set_value(10).run()
    assert not app.exception
    return app


def test_without_a_dataset_it_says_where_one_is_made(home):
    shown = words(opened())
    assert "No dataset yet." in shown and "None yet." in shown


def test_the_form_is_a_command_with_both_files_their_price_and_what_is_in_the_way(provider, host):
    app = opened()
    app.selectbox(key="tuning_model_openai").select("gpt-4.1-mini-2025-04-14").run()
    command = next(code.value for code in app.code if "tune start" in code.value)
    assert command == "python -m pricer tune start openai gpt-4.1-mini-2025-04-14 --dataset=even --grade=250"
    shown = words(app)
    assert "fewer than the 500 wished" in shown and "Few rows" in shown and "the host was not asked yet" in shown
    assert sum(code.value.startswith('{"messages"') for code in app.code) == 2
    assert not app.button(key="tuning_start").disabled
    set_cap(0.0)
    assert opened().button(key="tuning_start").disabled


def test_asking_the_host_only_reads_and_its_answer_stands_among_the_checks(provider, host):
    app = opened()
    app.button(key="tuning_probe").click().run()
    assert "has no model gpt-4o-mini" in words(app) and app.button(key="tuning_start").disabled
    assert host.creations(provider) == 0


def test_the_closing_service_is_told_with_what_to_do_instead(dataset):
    shown = words(opened())
    assert "nobody from 6 January 2027" in shown and "Export the JSON lines" in shown and "qlora" in shown
    app = opened()
    app.selectbox(key="tuning_provider").select("together").run()
    assert "6 January 2027" not in words(app)


def test_a_host_without_an_address_or_key_says_how_it_gets_one(dataset):
    app = opened()
    assert any(field.label == "A key for OpenAI, for this time" for field in app.text_input)
    app.selectbox(key="tuning_provider").select("azure").run()
    assert "AZURE_OPENAI_BASE_URL" in words(app)


def test_a_tuning_that_is_done_shows_its_model_losses_and_checkpoints(provider, host):
    done = tune(order(learning_rate_multiplier=1.8))
    app = opened()
    shown = words(app)
    assert f"{done.tuned_model} is ready." in shown and "ckpt-step-4" in shown and "12,345 tokens trained" in shown
    assert app.get("plotly_chart") and app.button(key=f"tuning_leaderboard_{done.id}")
    app.button(key=f"tuning_change_{done.id}").click().run()
    assert app.number_input(key="tuning_rate").value == 1.8 and app.number_input(key="tuning_train").value == 40
    assert any("--rate=1.8" in code.value for code in app.code) and "The same was tuned before" in words(app)
    app.toggle(key=f"tuning_again_{done.id}").set_value(True).run()
    assert any(code.value.endswith("--again") for code in app.code)


def test_an_unclear_tuning_asks_a_person_and_pays_nothing(provider, host):
    host.lists_jobs = False
    provider.faults = [Fault("lost", CREATE, times=1)]
    with pytest.raises(PricerError):
        tune(order())
    [unclear] = list_tunings()
    app = opened()
    assert "Nobody knows whether OpenAI has begun" in words(app) and "Nothing is created a second time" in words(app)
    app.text_input(key=f"tuning_remote_{unclear.id}").input(next(iter(host.jobs))).run()
    app.button(key=f"tuning_link_{unclear.id}").click().run()
    assert list_tunings()[0].remote_id == next(iter(host.jobs)) and host.creations(provider) == 1
    assert not app.exception


def test_pausing_cancelling_and_a_strange_state_from_the_page(provider, host):
    tuning = start_only(host)
    host.script = ["checking_safety"]
    app = opened()
    app.button(key=f"tuning_refresh_{tuning.id}").click().run()
    assert "checking_safety" in words(app)
    app.button(key=f"tuning_pause_{tuning.id}").click().run()
    assert list_tunings()[0].state == "paused"
    app.button(key=f"tuning_play_arrow_{tuning.id}").click().run()
    app.button(key=f"tuning_close_{tuning.id}").click().run()
    assert list_tunings()[0].state == "cancelled" and not app.exception


def test_a_host_that_was_removed_gets_no_other_one_s_words_or_buttons(provider, host):
    tuning = start_only(host)
    with database.engine().begin() as connection:
        connection.execute(update(database.tunings).values(provider="lab"))
    app = opened()
    assert "lab" in words(app) and app.button(key=f"tuning_close_{tuning.id}")
    assert f"tuning_pause_{tuning.id}" not in [button.key for button in app.button]


def test_after_the_last_day_the_days_left_are_none(provider, host, dataset, monkeypatch):
    class Later(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime(2027, 2, 1, tzinfo=UTC)

    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setattr(tuning_files, "datetime", Later)
    assert "closed" in words(opened())
