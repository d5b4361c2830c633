"""The shelf of recipes and the leak lens, each on a page of its own."""

from streamlit.testing.v1 import AppTest

from pricer.catalogue.store import Catalogue
from pricer.curation.index import open_index
from pricer.curation.leaks import Leaks, find_leaks, grouped_items
from pricer.curation.recipe import Recipe
from pricer.curation.recipe_file import RecipeFile, write_recipe_file
from pricer.curation.sampler import make_plan
from pricer.figures.formats import count, dollars, percent
from pricer.runs import jobs
from pricer.runs.recipes import delete_recipe, list_deleted, list_versions, open_recipe, save_recipe

RECIPE = Recipe(cutoff=240, cap=40, weights={"Automotive": 0.2})


def with_cap(cap: int) -> Recipe:
    return RECIPE.model_copy(update={"cap": cap})


def shelf_page() -> None:
    import streamlit as st

    from pages.shared import state
    from pages.shared.recipe_shelf import show_recipe_shelf
    from pricer.catalogue.store import open_catalogue

    state.start()
    in_hand = st.session_state["in_hand"]

    def adopt(recipe, name):
        st.session_state["in_hand"], st.session_state[state.PRESET] = recipe, name

    show_recipe_shelf(open_catalogue("demo"), in_hand, adopt)


def lens_page() -> None:
    import streamlit as st

    from pages.shared import cached, leak_lens, state
    from pricer.catalogue.store import open_catalogue

    state.start()
    catalogue = open_catalogue("demo")
    leak_lens.show_leak_lens(catalogue, cached.plan(catalogue, st.session_state["in_hand"]))
    st.code(" ".join(leak_lens.choose_split()))


def opened(page, recipe: Recipe = RECIPE) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["in_hand"] = recipe
    app.run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    own = [element.proto.body for element in app.get("html")]
    said = [*app.info, *app.error, *app.warning, *app.success, *app.code]
    return "\n".join([*own, *(str(element.value).replace("\\", "") for element in said)])


def typed(app: AppTest, setting: str):
    (found,) = [widget for widget in app.text_input if str(widget.key).startswith(f"shelf_{setting}_")]
    return found


def save(app: AppTest, name: str, note: str = "") -> AppTest:
    typed(app, "name").set_value(name)
    typed(app, "note").set_value(note)
    app.button(key="shelf_save").click().run()
    assert not app.exception
    return app


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


# Saved recipes


def test_a_saved_recipe_is_on_the_shelf_and_in_hand(demo):
    app = opened(shelf_page)
    assert "No saved recipe yet." in text(app)
    save(app, "even", "for spring")
    assert open_recipe("even").recipe == RECIPE and open_recipe("even").note == "for spring"
    assert "Saved as even@1." in text(app) and "in hand" in text(app)
    assert typed(app, "name").value == "even" and typed(app, "note").value == "for spring"


def test_the_second_of_two_people_sees_what_the_first_one_changed(demo):
    save_recipe("even", RECIPE, "demo")
    ann, bob = opened(shelf_page), opened(shelf_page)
    for visitor, cap in ((ann, 7), (bob, 9)):
        press(visitor, "shelf_open_1")
        visitor.session_state["in_hand"] = with_cap(cap)
        visitor.session_state["curate_preset"] = "own"
        save(visitor.run(), "even")
    assert "Meanwhile" not in text(ann)
    assert "Meanwhile even@2 was saved: cap 40 → 7. Both are kept, yours is the newest." in text(bob)
    assert [saved.recipe.cap for saved in list_versions("even")] == [9, 7, 40]


def test_who_takes_a_name_that_stands_is_told_so(demo):
    save_recipe("even", with_cap(7), "demo", "mine")
    assert "The name was taken: even@1, the same settings (mine). Both are kept." in text(
        save(opened(shelf_page), "even")
    )


def test_a_second_click_saves_nothing_new(demo):
    app = save(save(opened(shelf_page), "even"), "even")
    assert "even@1 says the same already." in text(app) and len(list_versions("even")) == 1


def test_a_name_that_cannot_be_one_is_said_on_the_spot(demo):
    assert "a recipe's name must have 1 to 80 characters and no @" in text(save(opened(shelf_page), "a@b"))


def test_an_older_version_is_opened_and_restored(demo):
    for cap in (3, 2):
        save_recipe("even", with_cap(cap), "demo")
    app = press(opened(shelf_page), "shelf_open_1")
    assert app.session_state["in_hand"].cap == 3 and app.session_state["curate_preset"] == "own"
    press(app, "shelf_restore_1")
    assert open_recipe("even").label == "even@3" and open_recipe("even").recipe.cap == 3
    assert "even@1 is the newest again, as even@3." in text(app)


def test_a_deleted_recipe_comes_back_at_once_or_later(demo):
    for cap in (3, 2):
        save_recipe("even", with_cap(cap), "demo")
    app = press(opened(shelf_page), "shelf_delete")
    assert "Deleted even@2, even@1." in text(app) and list_versions("even") == []
    press(app, "shelf_undo")
    assert len(list_versions("even")) == 2 and "Brought back even@2, even@1." in text(app)
    press(app, "shelf_delete_2")
    assert [saved.version for saved in list_versions("even")] == [1]
    delete_recipe("even")
    press(app.run(), "shelf_back")
    assert [saved.version for saved in list_versions("even")] == [1] and list_deleted() == []


def test_what_somebody_else_deleted_first_is_no_crash(demo):
    save_recipe("even", RECIPE, "demo")
    app = opened(shelf_page)
    delete_recipe("even")
    assert "there is no recipe 'even'" in text(press(app, "shelf_delete"))


def test_text_from_elsewhere_acts_nowhere(demo):
    save_recipe("<b>x</b>", RECIPE, "demo", "<script>alert(1)</script> **bold**")
    app = opened(shelf_page)
    assert "<script>" not in text(app) and "&lt;script&gt;" in text(app)


def test_a_file_is_opened_or_saved(demo):
    app = opened(shelf_page)
    content = write_recipe_file(RecipeFile("mine", with_cap(7).model_copy(update={"weights": {"Nowhere": 2.0}})))
    app.file_uploader(key="shelf_import").set_value(("mine.yaml", content.encode(), "application/yaml")).run()
    assert "cutoff $240, cap 7, Nowhere 2" in text(app) and "demo has no Nowhere." in text(app)
    press(app, "shelf_read_open")
    assert app.session_state["in_hand"].cap == 7
    press(app, "shelf_read_save")
    assert open_recipe("mine").recipe.cap == 7


def test_a_file_that_is_none_is_said_in_one_line(demo):
    app = opened(shelf_page)
    app.file_uploader(key="shelf_import").set_value(("x.yaml", b"a: &b [*b]", "application/yaml")).run()
    assert "x.yaml: a recipe file has no anchors and aliases" in text(app)


# The leak lens


def leaks_of(catalogue: Catalogue, recipe: Recipe) -> Leaks:
    index = open_index(catalogue, recipe.seed)
    return find_leaks(grouped_items(catalogue), index, make_plan(index, recipe))


def test_the_lens_shows_what_the_library_counts(demo):
    every_seed = (Recipe(cutoff=1, cap=1, seed=seed) for seed in range(50))
    natural, leaks = next((recipe, leaks) for recipe in every_seed if (leaks := leaks_of(demo, recipe)).leaked)
    said = text(opened(lens_page, natural))
    assert f"A naive split would leak {percent(leaks.expected_share)} of its exam" in said
    assert f"{count(leaks.leaked)}<small>of {count(leaks.split.exam)} exam items" in said
    assert dollars(leaks.copy_error) in said and leaks.examples["title"][0][:20] in said and "generated" in said
    assert f"--dataset demo-{natural.id[:8]}-naive" in said and "--split=naive" in said


def test_the_lens_starts_the_naive_dataset(demo, monkeypatch):
    monkeypatch.setattr("pricer.runs.launch.ensure_worker", lambda: None)
    press(opened(lens_page), "make_naive")
    [job] = jobs.list_jobs()
    assert job.arguments[:4] == ("sample", "demo", "--dataset", f"demo-{RECIPE.id[:8]}-naive")
    assert job.arguments[-1] == "--split=naive"


def test_a_sample_too_small_to_split_is_said(demo):
    app = opened(lens_page, Recipe(cutoff=1, cap=1, default_weight=0.0))
    assert "A split needs at least 3 items." in text(app)


def test_the_split_is_chosen_for_the_command(demo):
    app = opened(lens_page)
    assert app.code[-1].value == ""
    app.segmented_control(key="curate_split").set_value("naive").run()
    assert app.code[-1].value == "--split=naive"
