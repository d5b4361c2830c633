"""The pages to and from the hub: what is told beforehand, the preflight, the keys, and what would be published."""

import json
import re

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.load_table import load_frame
from pricer import keys, settings
from pricer.catalogue.categories import NOTEBOOK
from pricer.curation.dataset import make_dataset
from pricer.curation.recipe import Recipe
from pricer.figures.formats import count
from pricer.keys import HUB_TOKEN
from pricer.llm.providers import add_provider
from pricer.progress import silent
from pricer.publish.forms import Options
from pricer.publish.places import read_place
from pricer.publish.pushing import push
from tests.hub_server import ADA
from tests.products import raw_row, write_rows
from tests.test_keys import CANARY
from tests.test_pages import NAVIGATION, text
from tests.test_publish import KEY


def opened(page: str) -> AppTest:
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60).run()
    app.switch_page(f"data/{page}.py").run()
    assert not app.exception
    return app


@pytest.fixture(autouse=True)
def nothing_typed(monkeypatch):
    monkeypatch.setattr(keys, "_typed", {})


@pytest.fixture
def dataset(demo):
    return make_dataset(demo, Recipe(cutoff=240, cap=5), "even")


def messages(app: AppTest) -> str:
    return "\n".join([text(app), *(str(element.value) for element in [*app.success, *app.caption, *app.markdown])])


def test_publish_says_what_to_do_where_nothing_stands(home):
    app = opened("publish")
    assert "No dataset yet." in text(app) and "HF_TOKEN" in text(app)


def test_the_card_and_the_rows_are_shown_as_they_are_published(dataset):
    app = opened("publish")
    shown = messages(app)
    assert "do not leak" in shown and dataset.manifest.content_hash in shown
    item = dataset.train().head(1).collect().row(0, named=True)
    codes = [code.value for code in app.code]
    assert any(code.endswith(f"Price is ${round(item['price'])}.00") and item["text"] in code for code in codes)
    assert any(code.endswith("\n\nPrice is $") for code in codes)
    app.selectbox(key="publish_edition").select("prompt-completion")
    app.toggle(key="publish_withhold").set_value(True).run()
    assert "completion withheld" in "".join(caption.value for caption in app.caption).replace("\\", "")


def test_nothing_can_be_sent_before_the_hub_was_looked_at(dataset, hub, monkeypatch):
    monkeypatch.setenv(HUB_TOKEN, ADA)
    app = opened("publish")
    assert app.button(key="publish_start").disabled
    app.text_input(key=f"publish_name_{dataset.id}").input("ada/even").run()
    assert "python -m pricer publish even --to ada/even" in [code.value for code in app.code]
    assert app.button(key="publish_start").disabled
    app.button(key="publish_look").click().run()
    assert "ada/even is free and will be made" in text(app) and not app.button(key="publish_start").disabled
    assert "python -m pricer publish even --to ada/even --follows nothing" in [code.value for code in app.code]
    app.toggle(key="publish_extras").set_value(True).run()
    assert app.button(key="publish_start").disabled


def test_a_taken_name_stops_and_replacing_it_is_asked_for(dataset, hub, monkeypatch):
    monkeypatch.setenv(HUB_TOKEN, ADA)
    hub.put("ada/taken", {"data.csv": b"1"})
    app = opened("publish")
    app.text_input(key=f"publish_name_{dataset.id}").input("ada/taken").run()
    app.button(key="publish_look").click().run()
    assert "ada/taken is taken" in text(app) and app.button(key="publish_start").disabled
    app.toggle(key="publish_replace").set_value(True).run()
    app.button(key="publish_look").click().run()
    assert not app.button(key="publish_start").disabled


def test_a_wrong_name_is_told(dataset):
    app = opened("publish")
    app.text_input(key=f"publish_name_{dataset.id}").input("even").run()
    assert "USER/NAME" in messages(app).replace("\\", "") and app.button(key="publish_look").disabled


def test_a_folder_is_written_by_the_same_command(dataset, tmp_path):
    app = opened("publish")
    app.segmented_control(key="publish_to").select("Folder").run()
    app.text_input(key=f"publish_folder_{dataset.id}").input(str(tmp_path / "set")).run()
    assert f"python -m pricer publish even --to {tmp_path / 'set'}" in [code.value for code in app.code]
    assert not app.button(key="publish_write").disabled


def test_a_typed_key_is_used_and_shown_nowhere(dataset, hub):
    hub.add_user("carl", CANARY)
    app = opened("publish")
    app.text_input(key="typed_key").input(CANARY)
    next(button for button in app.button if button.label == "Use it").click().run()
    app.button(key="check_keys").click().run()
    assert "carl: may write; new sets under carl" in text(app) and "typed, in the server" in text(app)
    app.text_input(key=f"publish_name_{dataset.id}").input("ada/even").run()
    app.button(key="publish_look").click().run()
    assert "The token may not write to ada" in text(app)
    assert CANARY not in messages(app) and not any(CANARY in str(proto) for proto in app.get("html"))
    assert CANARY not in str(app.session_state)
    app.text_input(key="typed_key").input("two words")
    next(button for button in app.button if button.label == "Use it").click().run()
    assert "A key is one word" in text(app)
    app.button(key="forget_key").click().run()
    assert keys.find_key(HUB_TOKEN) is None


def test_a_gated_model_says_how_to_be_let_in(home, hub, monkeypatch):
    monkeypatch.setenv(HUB_TOKEN, ADA)
    hub.put("meta-llama/Llama-3.1-8B", {"config.json": b"{}"}, kind="models", gated=True)
    app = opened("publish")
    app.button(key="try_model").click().run()
    assert "ask for access there" in messages(app).replace("\\", "")


def test_files_for_fine_tuning_are_checked_and_can_be_taken_along(dataset):
    app = opened("publish")
    app.number_input(key=f"tune_train_{dataset.id}").set_value(40).run()
    assert "the first of 40 rows" in text(app) and "every line has its roles and an answer" in text(app)
    shown = [code.value for code in app.code if code.value.startswith('{"messages"')]
    assert json.loads(shown[0])["messages"][-1]["content"].startswith("Price is $")
    app.number_input(key="tune_tokens").set_value(64).run()
    assert "train.jsonl, line 1: " in text(app) and "takes at most 64" in text(app)


def test_a_file_of_one_s_own_is_checked_line_by_line(dataset):
    app = opened("publish")
    good = json.dumps({"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "$3"}]})
    app.file_uploader(key="tune_file").set_value(("own.jsonl", f"{good}\n{{}}\n".encode(), "application/jsonl")).run()
    assert "own.jsonl, line 2: there is no messages" in text(app)


def test_the_eight_categories_are_one_click_with_what_they_take(home):
    app = opened("catalogue")
    app.button(key="hub_eight").click().run()
    assert "8,288,327" in text(app) and "25.2 GB" in text(app)
    command = next(code.value for code in app.code if "amazon-2023" in code.value)
    assert command.count("hub:McAuley-Lab/Amazon-Reviews-2023/") == len(NOTEBOOK)
    app.button(key="hub_lite").click().run()
    assert "94,327" in text(app)
    assert "load hub:McAuley-Lab/Amazon-Reviews-2023/Appliances --catalogue appliances" in text(app)


def test_too_small_a_disk_and_no_line_are_told_beforehand(home, monkeypatch):
    monkeypatch.setattr("pricer.catalogue.download.SPARE_BYTES", 10**18)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    warned = text(opened("catalogue"))
    assert "more on the disk of" in warned.replace("\\", "") and "HF_HUB_OFFLINE is set" in warned


def test_what_loading_a_file_takes_is_told_beforehand_too(home, tmp_path, monkeypatch):
    app = opened("catalogue")
    app.text_area(key="load_paths").input(str(write_rows(tmp_path / "own.jsonl.gz", [raw_row(1)] * 9)))
    app.text_input(key="load_name").input("own").run()
    assert any("of disk" in caption.value for caption in app.caption) and "more on the disk of" not in text(app)
    monkeypatch.setattr("pricer.catalogue.download.SPARE_BYTES", 10**18)
    assert text(app.run()).replace("\\", "").count("more on the disk of") == 2 and not app.exception


def test_a_set_on_the_hub_can_be_named_among_the_files(home):
    app = opened("catalogue")
    app.text_area(key="load_paths").input("hub:ada/even")
    app.text_input(key="load_name").input("back").run()
    assert "python -m pricer load hub:ada/even --catalogue back --rules auto" in [code.value for code in app.code]
    app.text_area(key="load_paths").input("hub:ada").run()
    assert "hub:OWNER/NAME" in messages(app).replace("\\", "")


def test_the_load_s_figures_are_shown_by_category_with_their_total(demo):
    shown = text(opened("catalogue"))
    manifest = demo.manifest
    for each in manifest.by_category:
        assert count(each.priced) in shown
    assert "Total" in shown and count(sum(each.priced for each in manifest.by_category)) in shown
    taken = load_frame(manifest.by_category).to_dicts()
    assert [row["category"] for row in taken] == [*(each.category for each in manifest.by_category), "Total"]
    assert taken[-1]["rows"] == manifest.rows == pytest.approx(taken[-1]["rows_per_second"] * taken[-1]["seconds"])


def test_a_file_of_secrets_that_others_may_read_is_told_and_takes_nothing_away(dataset):
    settings.secrets_file().write_text('HF_TOKEN = "hf_x"')
    settings.secrets_file().chmod(0o644)
    app = opened("publish")
    assert any("chmod 600" in error.value for error in app.error)
    assert "do not leak" in messages(app) and len(app.tabs) == 3
    app.text_input(key=f"publish_name_{dataset.id}").input("ada/even").run()
    app.button(key="publish_look").click().run()
    assert "chmod 600" in text(app) and app.button(key="publish_start").disabled
    app.text_input(key="typed_key").input("hf_typed")
    next(button for button in app.button if button.label == "Use it").click().run()
    assert "typed, in the server" in text(app)


def test_own_providers_keys_are_shown_and_checked_too(home, monkeypatch):
    add_provider("lab", "http://127.0.0.1:9/v1", "LAB_API_KEY", "The lab's")
    monkeypatch.setenv("LAB_API_KEY", CANARY)
    app = opened("publish")
    assert "LAB_API_KEY" in text(app) and "The lab" in text(app)
    app.button(key="check_keys").click().run()
    assert "cannot be reached" in text(app) and CANARY not in text(app)


def test_a_set_loaded_back_says_where_it_came_from(dataset, hub, monkeypatch):
    from pricer.publish.loading import load

    monkeypatch.setenv(HUB_TOKEN, ADA)
    pushed = push(dataset, Options(), read_place("ada/even"), KEY, silent)
    assert load(["hub:ada/even"], "back").catalogue.manifest.generated
    app = opened("catalogue")
    assert f"hub:ada/even@{pushed.commit[:7]}" in text(app) and "generated" in text(app)


def test_a_card_in_its_preview_keeps_its_code_and_shows_no_formulas(dataset):
    app = opened("publish")
    card = "\n".join(each.value for each in app.markdown)
    assert "\n## even\n" in f"\n{card}" and "\n# A recipe of Pricer" in card
    assert "```python" not in card and not re.search(r"(?<!\\)\$", card)
