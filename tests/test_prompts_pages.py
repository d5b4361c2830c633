"""The box for replies and the panel of prompts, as Train shows them."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.reader_box import EXAMPLES
from pricer.curation.dataset import Dataset, list_datasets
from pricer.llm.prompts import PROMPTS
from pricer.llm.saved_prompts import open_prompt, save_prompt
from pricer.models.hosted import Hosted
from pricer.runs.training import read_train
from tests.test_pages import text


def draw_box() -> None:
    from pages.shared.reader_box import show_reader_box

    show_reader_box()


def draw_prompts() -> None:
    import streamlit as st

    from pages.shared import state
    from pages.shared.prompts import CHOICE, show_prompts
    from pricer.curation.dataset import list_datasets
    from pricer.runs.training import Order

    state.start()
    st.session_state.setdefault(CHOICE, "similar")
    show_prompts(list_datasets()[0], Order("hosted", "even", seed=7, first_n=60), st.session_state[CHOICE])


@pytest.fixture
def dataset(home: Path, trained_home: Path) -> Dataset:
    shutil.copytree(trained_home, home)
    return list_datasets()[0]


def opened(draw) -> AppTest:
    app = AppTest.from_function(draw, default_timeout=60).run()
    assert not app.exception
    return app


def test_the_box_tells_what_is_read_where_and_why(home):
    app = opened(draw_box)
    assert "$39.99" in text(app) and '">$39.99</b>' in text(app)
    app.text_area(key="reader_reply").set_value("<i>3 for $10</i>").run()
    assert "No answer: two numbers that belong together" in text(app) and "<i>3" not in text(app)
    for example in EXAMPLES:
        app.pills(key="reader_example").set_value(example).run()
        assert app.text_area(key="reader_reply").value == EXAMPLES[example] and not app.exception
    assert "A refusal" in text(app)


def test_a_prompt_is_shown_with_an_item_and_what_is_similar_in_train(dataset):
    app = opened(draw_prompts)
    exam = dataset.exam().select("text", "price").collect()
    asked = "\n".join(code.value for code in app.code)
    assert exam["text"][0] in asked and asked.count("Price is $") == 5
    app.number_input(key=f"prompt_item_{dataset.id}").set_value(2).run()
    assert exam["text"][1] in "\n".join(code.value for code in app.code)
    assert "Similar product of train" in text(app)


def test_as_asked_is_what_the_order_asks_to_the_letter(dataset):
    save_prompt("both", PROMPTS["similar"].model_copy(update={"examples": 2}))
    app = AppTest.from_function(draw_prompts, default_timeout=60)
    app.session_state["train_hosted_prompt"] = "both"
    app.run()
    asks = Hosted(seed=7, model="small-1", prompt="both").fit(read_train(dataset, "hosted", 60))
    [call] = asks.calls(dataset.exam().head(1).collect())
    assert [code.value for code in app.code] == [message["content"] for message in call.messages]
    other_seed = Hosted(seed=8, model="small-1", prompt="both").fit(read_train(dataset, "hosted", 60))
    assert other_seed.calls(dataset.exam().head(1).collect())[0].messages != call.messages


def test_what_is_changed_is_saved_as_a_version_and_chosen(dataset):
    app = opened(draw_prompts)
    key = f"prompt_form_{PROMPTS['similar'].id}"
    app.text_area(key=f"{key}_question").set_value("What would you pay?")
    app.number_input(key=f"{key}_neighbours").set_value(2)
    app.button[-1].click().run()
    assert not app.exception and not app.error
    saved = open_prompt("my-similar@1").prompt
    assert (saved.question, saved.neighbours, saved.tagged) == ("What would you pay?", 2, True)
    assert app.session_state["train_hosted_prompt"] == "my-similar@1"
    assert "The prompt my-similar@1" in text(app) and "chosen" in app.success[0].value


def test_what_cannot_be_saved_is_told(dataset):
    app = opened(draw_prompts)
    key = f"prompt_form_{PROMPTS['similar'].id}"
    for name, told in (("my@name", "no @"), ("plain", "is a preset"), ("mine", "to the letter")):
        app.text_input(key=f"{key}_name").set_value(name)
        app.button[-1].click().run()
        assert told in app.error[0].value
    app.number_input(key=f"{key}_high").set_value(0.5)
    app.button[-1].click().run()
    assert "from low to high" in app.error[0].value


def test_two_prompts_are_compared_setting_by_setting(dataset):
    save_prompt("mine", PROMPTS["plain"].model_copy(update={"seed": 7}))
    app = opened(draw_prompts)
    app.selectbox(key="prompt_other").select("mine@1").run()
    assert "Similar products" in text(app) and "<td>7</td>" in text(app)
    app.session_state["train_hosted_prompt"] = "gone"
    assert "there is no prompt" in app.run().warning[0].value.replace("\\", "")
