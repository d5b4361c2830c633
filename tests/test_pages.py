"""Every page opens alone, empty and with a catalogue; what it shows is what the library says."""

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
from pricer.curation.recipe import PRESETS, Recipe, Target, preset
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


def balancer(app: AppTest) -> dict:
    """What the balancer's element is told: the browser does the rest."""
    told = [each.proto.json for each in app.get("bidi_component") if each.proto.component_name == "pricer_balancer"]
    return json.loads(told[0])


def set_recipe(app: AppTest, recipe: Recipe) -> AppTest:
    """Run the page with other settings, as if a hand had moved the balancer."""
    app.session_state["curate_history"] = [(recipe, "own")]
    app.session_state["curate_place"] = 0
    app.session_state["curate_preset"] = "own"
    return app.run()


def kept(app: AppTest) -> np.ndarray:
    """The sample's items in slots 1 to 999, as the histogram is told them."""
    return np.array(balancer(app)["plan"]["slots"])[1:]


def chosen(app: AppTest) -> str:
    """What the list of recipes shows."""
    (found,) = [each for each in app.selectbox if str(each.key).startswith("curate_preset")]
    return found.value


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


def test_curate_starts_with_the_scaled_recipe_and_tells_its_plan(demo):
    app = opened("curate")
    plan = scaled_plan(demo)
    told = balancer(app)
    assert np.array_equal(kept(app), plan.counts.sum(axis=1)[1:])
    assert told["plan"]["categories"] == plan.counts.sum(axis=0).tolist()
    assert told["plan"]["price_mean"] == plan.price_mean
    assert told["settings"]["cap"] == plan.recipe.cap and told["settings"]["weights"][0] == 0.2


def test_a_recipe_that_caps_nothing_offers_the_scaled_one(demo):
    app = set_recipe(opened("curate"), Recipe(cutoff=240, cap=100_000))
    assert "The cap changes nothing" in text(app)
    app.button(key="use_scaled").click().run()
    assert int(kept(app).sum()) == scaled_plan(demo).size
    assert chosen(app) == "scaled"


def test_every_preset_can_be_chosen_and_is_a_turn_of_its_own(demo):
    app = opened("curate")
    index = open_index(demo)
    for name in PRESETS:
        turn = balancer(app)["turn"]
        (choice,) = [each for each in app.selectbox if str(each.key).startswith("curate_preset")]
        choice.select(name).run()
        assert not app.exception
        plan = make_plan(index, preset(name, index.counts, index.categories))
        assert chosen(app) == name and np.array_equal(kept(app), plan.counts.sum(axis=1)[1:])
        assert balancer(app)["turn"] > turn or name == "scaled"


def test_an_address_that_lags_behind_undoes_no_move(demo):
    app = opened("curate")
    behind = {key: app.query_params[key] for key in app.query_params}
    set_recipe(app, Recipe(cutoff=240, cap=7))
    app.query_params.update(behind)
    set_recipe(app, Recipe(cutoff=240, cap=8))
    assert balancer(app)["settings"]["cap"] == 8 and app.query_params["cap"] == "8"


TARGETS = [Target(shape="power", size=900, exponent=0.5), Target(shape="flat", size=500)]


@pytest.mark.parametrize("settings", [{"cap": 6}, *({"target": target} for target in TARGETS)])
def test_a_link_repeats_the_view(demo, settings):
    app = opened("curate")
    app.session_state["curate_range"], app.session_state["curate_scale"] = (10, 400), "linear"
    recipe = Recipe(cutoff=300, weights={"Automotive": 0.123456789}, default_weight=2.0, seed=7, **settings)
    set_recipe(app, recipe)
    link = {key: app.query_params[key] for key in app.query_params}
    again = AppTest.from_file(str(NAVIGATION), default_timeout=60)
    again.switch_page(PAGES["curate"])
    again.query_params.update(link)
    again.run()
    assert balancer(again)["settings"] == balancer(app)["settings"]
    assert balancer(again)["view"] == {"scale": "linear", "low": 10, "high": 400, "slot": None}
    assert np.array_equal(kept(again), kept(app))


@pytest.mark.parametrize(
    "change",
    [
        {"cap": "many"},
        {"catalogue": "nowhere"},
        {"weight": ["Automotive=-1"]},
        {"target": "flat"},
        {"seed": str(2**60)},
    ],
)
def test_a_link_that_says_nothing_is_not_followed(demo, change):
    link = {"catalogue": "demo", "cutoff": "240", "cap": "5", "others": "1", "seed": "42"} | change
    app = AppTest.from_file(str(NAVIGATION), default_timeout=60)
    app.switch_page(PAGES["curate"])
    app.query_params.update(link)
    app.run()
    assert not app.exception
    assert "link" in app.warning[0].value
    assert chosen(app) == "scaled"


def test_the_recipe_outlives_a_visit_to_another_page(demo):
    app = set_recipe(opened("curate"), Recipe(cutoff=240, cap=6))
    app.switch_page(PAGES["catalogue"]).run()
    app.run()
    app.switch_page(PAGES["curate"]).run()
    assert balancer(app)["settings"]["cap"] == 6


def test_a_saved_recipe_can_be_chosen(demo):
    save_recipe("mine", Recipe(cutoff=300, cap=4), "demo")
    app = opened("curate")
    (choice,) = [each for each in app.selectbox if str(each.key).startswith("curate_preset")]
    choice.select("saved: mine").run()
    assert not app.exception
    assert [balancer(app)["settings"][name] for name in ("cutoff", "cap")] == [300, 4]


def test_the_command_of_a_target_states_it(demo):
    app = set_recipe(opened("curate"), Recipe(cutoff=1000, target=TARGETS[0]))
    assert "--cutoff=1000 --target=power --size=900 --exponent=0.5" in text(app)


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
    assert all("<img" not in box.label.replace("\\<", "") for box in app.number_input)
