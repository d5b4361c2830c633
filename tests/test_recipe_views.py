"""What can be seen of a recipe, on a page of its own; and the figures that it draws."""

import json

import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from pricer.curation.difference import difference
from pricer.curation.index import open_index
from pricer.curation.recipe import Recipe, preset
from pricer.curation.sampler import make_plan
from pricer.figures.bands import medians_by_band
from pricer.figures.changes import change_bars
from pricer.figures.formats import count
from pricer.runs.recipes import delete_recipe, save_recipe


def page() -> None:
    import streamlit as st

    from pages.shared import cached, state
    from pages.shared.recipe_views import other_plan, show_recipe_views
    from pricer.catalogue.store import open_catalogue
    from pricer.curation.recipe import preset

    state.start()
    catalogue = open_catalogue("demo")
    index = cached.index(catalogue, 42)
    plan = cached.plan(catalogue, preset("scaled", index.counts, index.categories))
    show_recipe_views(catalogue, plan)
    other = other_plan(catalogue)
    st.json({"other": other and [other[0], other[1].size]})


@pytest.fixture
def app(demo) -> AppTest:
    opened = AppTest.from_function(page, default_timeout=60).run()
    assert not opened.exception
    return opened


def text(app: AppTest) -> str:
    return "\n".join([*(element.proto.body for element in app.get("html")), *(each.value for each in app.caption)])


def plan_of(catalogue, name: str):
    index = open_index(catalogue)
    return make_plan(index, preset(name, index.counts, index.categories))


def test_effective_size_evenness_and_spikes_are_told(app, demo):
    plan = plan_of(demo, "scaled")
    assert count(round(plan.effective_size)) in text(app)
    assert f"was {plan.market_price_evenness:,.0f}" in text(app)
    assert all(f"<td>${spike.slot}</td>" in text(app) for spike in plan.spikes[:1])
    assert [tab.label for tab in app.tabs] == ["Balance", "Characters and weight", "Against another recipe"]
    assert len(app.get("plotly_chart")) == 2  # characters and weight


def test_another_recipe_says_what_it_adds_and_removes(app, demo):
    app.selectbox(key="curate_other").select("notebook-2").run()
    assert not app.exception
    changed = difference(open_index(demo), plan_of(demo, "scaled"), plan_of(demo, "notebook-2"))
    assert all(f"<dd>{count(int(part.sum()))}<small>" in text(app) for part in (changed.added, changed.removed))
    assert json.loads(app.json[0].value)["other"] == ["Second notebook", plan_of(demo, "notebook-2").size]
    assert [f"by {what}" in text(app) for what in ("price", "category")] == [True, True]
    app.toggle(key="other_items").set_value(True).run()
    assert set(app.dataframe[0].value["change"]) <= {"added", "removed"}


def test_the_same_recipe_changes_nothing(app):
    app.selectbox(key="curate_other").select("scaled").run()
    assert "gives the same" in text(app).replace("\\", "")


def test_a_saved_recipe_that_is_deleted_meanwhile_is_no_longer_compared(app):
    save_recipe("mine", Recipe(cutoff=100, cap=2), "demo")
    app.run()
    app.selectbox(key="curate_other").select("saved: mine").run()
    assert json.loads(app.json[0].value)["other"][0] == "mine"
    delete_recipe("mine")
    app.run()
    assert not app.exception
    assert json.loads(app.json[0].value)["other"] is None


def bands(**columns) -> pl.DataFrame:
    quartiles = ("known", "low", "median", "high")
    given = {
        f"{name}_{what}": [float(n) for n in columns[name][place]]
        for name in columns
        for place, what in enumerate(quartiles)
    }
    return pl.DataFrame({"lowest": [0, 10], "highest": [9, 19]} | given)


def test_medians_of_few_items_are_not_drawn_after():
    table = bands(before=([50, 40], [1, 2], [2, 3], [3, 4]), after=([20, 4], [1, 1], [2, 2], [3, 3]))
    before, after = medians_by_band(table, "pounds", "light").data
    assert list(before.y) == [2, 3] and list(after.y) == [2]
    assert list(after.customdata[0][:2]) == ["after, $0 to $9", "2 pounds"]


def test_a_logarithmic_axis_holds_every_quartile():
    table = bands(before=([50, 40], [0.05, 2], [2, 3], [3, 400]), after=([20, 40], [1, 1], [2, 2], [3, 3]))
    low, high = medians_by_band(table, "pounds", "dark", "log").layout.yaxis.range
    assert 10**low <= 0.05 and 10**high >= 400


def test_changes_are_bars_to_both_sides_in_the_order_given():
    figure = change_bars(["a", "b_c"], np.array([1, 5]), np.array([0, 30]), "light")
    removed, added = figure.data
    assert list(removed.x) == [0, -30] and list(added.x) == [1, 5]
    assert figure.layout.yaxis.ticktext == ("a", "b c")
    assert {"30", "5", "1"} == {each.text for each in figure.layout.annotations}
