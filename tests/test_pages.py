"""Every page opens alone, empty and with a catalogue; what it shows is what the library says."""

import base64
import json
from pathlib import Path

import numpy as np
import plotly.io
import pytest
from streamlit.testing.v1 import AppTest

from pricer.__main__ import main
from pricer.catalogue.store import Catalogue, open_catalogue
from pricer.curation.dataset import make_dataset
from pricer.curation.index import open_index
from pricer.curation.recipe import Recipe, preset
from pricer.curation.sampler import make_plan
from pricer.figures.formats import count
from pricer.runs.recipes import save_recipe
from tests.products import raw_row, write_rows

NAVIGATION = Path(__file__).parent.parent / "pages" / "navigation.py"
PAGES = {"home": "home.py", "catalogue": "data/catalogue.py", "curate": "data/curate.py"}


def opened(page: str, **link) -> AppTest:
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60)
    app.query_params.update(link)
    app.run()
    if page != "home":
        app.switch_page(PAGES[page]).run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    """All HTML of Pricer's own elements, and every message."""
    own = [element.proto.body for element in app.get("html")]
    return "\n".join([*own, *(str(element.value) for element in [*app.info, *app.error, *app.warning, *app.code])])


def figure(app: AppTest, number: int):
    return plotly.io.from_json(app.get("plotly_chart")[number].proto.spec, skip_invalid=True)


def drawn(widgets, setting: str):
    """The widget of a setting, whose key has a number that changes each time that it is drawn anew."""
    (found,) = [widget for widget in widgets if str(widget.key).endswith(f"_{setting}")]
    return found


def kept(app: AppTest) -> np.ndarray:
    """The sample's items in slots 1 to 999, as the histogram's hover tells them."""
    sent = json.loads(app.get("plotly_chart")[0].proto.spec)["data"][2]["customdata"]
    numbers = np.frombuffer(base64.b64decode(sent["bdata"]), sent["dtype"])
    return numbers.reshape([int(size) for size in sent["shape"].split(",")])[:, 1]


def scaled_plan(catalogue: Catalogue):
    index = open_index(catalogue)
    return make_plan(index, preset("scaled", index.counts, index.categories))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_to_do_where_nothing_stands(page):
    assert "No catalogue yet." in text(opened(page))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_with_a_catalogue(page, demo):
    app = opened(page)
    assert len(app.get("plotly_chart")) >= 1
    assert "generated" in text(app)


def test_catalogue_shows_every_reason_with_its_count(demo):
    funnel = figure(opened("catalogue"), 0)
    written = " ".join(note.text for note in funnel.layout.annotations)
    for number in [*demo.manifest.rejections.values(), demo.manifest.duplicates, demo.manifest.items]:
        assert count(number) in written


def test_catalogue_counts_one_category(demo):
    app = opened("catalogue")
    part = demo.manifest.by_category[0]
    app.selectbox(key="funnel_category").select(part.category).run()
    assert figure(app, 0).data[0].x[0] == part.rows


def test_catalogue_sends_one_page_of_rows_and_says_why_one_was_dropped(demo):
    app = opened("catalogue")
    app.selectbox(key="rows_outcome").select("no-price").run()
    assert not app.exception
    assert len(app.dataframe[0].value) == min(50, demo.manifest.rejections["no-price"])
    assert "Why was it dropped?" in text(app) and "✕ drop" in text(app)


def test_curate_starts_with_the_scaled_recipe_and_draws_its_plan(demo):
    app = opened("curate")
    plan = scaled_plan(demo)
    assert count(plan.size) in text(app)
    assert np.array_equal(kept(app), plan.counts.sum(axis=1)[1:])


def test_a_slider_and_its_exact_number_stay_in_step(demo):
    app = opened("curate")
    drawn(app.slider, "curate_cap").set_value(7).run()
    assert drawn(app.number_input, "curate_cap").value == 7
    drawn(app.number_input, "curate_cap").set_value(9).run()
    assert drawn(app.slider, "curate_cap").value == 9
    assert drawn(app.selectbox, "curate_preset").value == "own"


def test_every_move_of_a_slider_counts(demo):
    app = opened("curate")
    sizes = []
    for cap in (3, 8, 5, 8):
        drawn(app.slider, "curate_cap").set_value(cap).run()
        sizes.append(int(kept(app).sum()))
    assert sizes[1] == sizes[3] > sizes[2] > sizes[0]


def test_a_recipe_that_caps_nothing_offers_the_scaled_one(demo):
    app = opened("curate")
    drawn(app.number_input, "curate_cap").set_value(100_000).run()
    assert "The cap changes nothing" in text(app)
    app.button(key="use_scaled").click().run()
    assert count(scaled_plan(demo).size) in text(app)


def test_an_address_that_lags_behind_undoes_no_move(demo):
    app = opened("curate")
    behind = {key: app.query_params[key] for key in app.query_params}
    drawn(app.slider, "curate_cap").set_value(7).run()
    app.query_params.update(behind)
    drawn(app.slider, "curate_cap").set_value(8).run()
    assert drawn(app.number_input, "curate_cap").value == 8


def test_a_link_repeats_the_view(demo):
    app = opened("curate")
    drawn(app.number_input, "curate_cap").set_value(6)
    app.slider(key="curate_range").set_value((10, 400)).run()
    link = {key: app.query_params[key] for key in app.query_params}
    again = AppTest.from_file(str(NAVIGATION), default_timeout=60)
    again.switch_page(PAGES["curate"])
    again.query_params.update(link)
    again.run()
    assert drawn(again.number_input, "curate_cap").value == 6
    assert again.slider(key="curate_range").value == (10, 400)
    assert len(kept(again)) == 391 and np.array_equal(kept(again), kept(app))


@pytest.mark.parametrize("change", [{"cap": "many"}, {"catalogue": "nowhere"}, {"weight": ["Automotive=-1"]}])
def test_a_link_that_says_nothing_is_not_followed(demo, change):
    link = {"catalogue": "demo", "cutoff": "240", "cap": "5", "others": "1", "seed": "42"} | change
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60)
    app.switch_page(PAGES["curate"])
    app.query_params.update(link)
    app.run()
    assert not app.exception
    assert "link" in app.warning[0].value
    assert drawn(app.selectbox, "curate_preset").value == "scaled"


def test_the_recipe_outlives_a_visit_to_another_page(demo):
    app = opened("curate")
    drawn(app.number_input, "curate_cap").set_value(6).run()
    app.switch_page(PAGES["catalogue"]).run()
    app.run()
    app.switch_page(PAGES["curate"]).run()
    assert drawn(app.number_input, "curate_cap").value == 6


def test_a_saved_recipe_can_be_chosen(demo):
    save_recipe("mine", Recipe(cutoff=300, cap=4), "demo")
    app = opened("curate")
    drawn(app.selectbox, "curate_preset").select("saved: mine").run()
    assert not app.exception
    assert (drawn(app.number_input, "curate_cutoff").value, drawn(app.number_input, "curate_cap").value) == (300, 4)


def test_curate_shows_train_validation_and_exam_of_a_dataset(demo):
    dataset = make_dataset(demo, scaled_plan(demo).recipe, "first")
    app = opened("curate")
    roles = figure(app, len(app.get("plotly_chart")) - 1)
    assert {trace.name for trace in roles.data} == {"train", "validation", "exam"}
    assert f"train {count(dataset.manifest.train)}" in text(app)


HOSTILE = "<img src=x onerror=alert(1)> $x^2$ [a](http://elsewhere.example)"


@pytest.fixture
def hostile(home, tmp_path) -> Catalogue:
    """A catalogue whose titles and categories try to be mark-up."""
    rows = [raw_row(number, main_category=HOSTILE, title=f"{HOSTILE} {number}") for number in range(60)]
    assert main(["load", str(write_rows(tmp_path / "hostile.jsonl", rows)), "--catalogue", "hostile"]) == 0
    return open_catalogue("hostile")


@pytest.mark.parametrize("page", PAGES)
def test_mark_up_in_data_stays_text(page, hostile):
    app = opened(page)
    own = "".join(element.proto.body for element in app.get("html"))
    charts = "".join(chart.proto.spec for chart in app.get("plotly_chart"))
    assert "<img" not in own + charts
    assert all("<img" not in box.label.replace("\\<", "") for box in [*app.slider, *app.number_input])
